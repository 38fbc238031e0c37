import type { Role } from "../pki/certificates/identity";
import type { ArgumentDescription, MethodRisk } from "../protocol/methods";
import type { XmlRpcValue } from "../wire/value";

/**
 * "cn-only": a certificate of the original, with nothing but a common name. "originator": an overlord that has signed
 * the call, which another one brings.
 */
export type CallerRole = Role | "cn-only" | "originator";

/** Who calls, as proved by the certificate of the connection; of an originator, by its signature. */
export interface Caller {
  role: CallerRole;
  name: string;
  /** Common name and decimal subject hash, "web1-2735269795", by which the original's rules name it. */
  subject?: string;
  /** hex SHA-256 of the public key (SPKI). */
  keyFingerprint: string;
  /** IP address the connection comes from. */
  address: string;
  /** Of an originator: who has brought the call, as proved by the certificate of the connection. */
  via?: { role: CallerRole; name: string; keyFingerprint: string };
}

/** What a method may know about the call it serves. */
export interface CallContext {
  caller: Caller;
  /** Aborted where the call is cancelled or funcd ends; never by a mere loss of the connection. */
  signal: AbortSignal;
  /** Aborted once nobody waits for the answer any more; only for methods that do nothing but wait. */
  connectionClosed: AbortSignal;
}

/** A shell command that can outlive funcd. */
export interface CommandSpec {
  command: string;
  /** Added to the environment of funcd. */
  env: Record<string, string>;
}

/** A call that another one is about. */
export interface CarriedCall {
  /** Full name, without "async.". */
  method: string;
  params: XmlRpcValue[];
}

export interface MinionMethod {
  description: string;
  /** By position. Only the last may be of type "list*", which takes all the rest. */
  args: ArgumentDescription[];
  risk: MethodRisk;
  /** Gets its arguments checked and converted; optional ones left out are undefined, or their default. */
  handler: (
    context: CallContext,
    ...args: (XmlRpcValue | undefined)[]
  ) => XmlRpcValue | Promise<XmlRpcValue>;
  /**
   * Where a call can be about what somebody else began: why it is none of this caller's business. Those who
   * may do everything, and overlords, are not asked.
   */
  othersBusiness?: (
    caller: Caller,
    ...args: (XmlRpcValue | undefined)[]
  ) => string | undefined | Promise<string | undefined>;
  /**
   * What is to be called on other hosts: who may not call that here, by this host's own rules, may not have it called
   * there. Throws where that cannot be told; the handler then has to refuse the call.
   */
  carries?: (...args: (XmlRpcValue | undefined)[]) => CarriedCall;
  /**
   * Such calls come again and again about the same first argument: where all goes well only one of a caller's in
   * ten minutes is audited.
   */
  repeats?: boolean;
  /** A repeat changes nothing, and answers the same: it may come again at any time. */
  repeatable?: boolean;
  /** Where the method is a shell command: called with `async.`, it runs under a runner of its own. */
  asCommand?: (...args: (XmlRpcValue | undefined)[]) => CommandSpec;
}

/** A module of the minion: nothing that is not declared here can be called. */
export interface MinionModule {
  name: string;
  version: string;
  description: string;
  methods: Record<string, MinionMethod>;
  /** The module's settings as [key, value] pairs, for `config_items`. */
  configItems?: () => Promise<XmlRpcValue[]>;
}
