import type { X509Certificate } from "node:crypto";
import { FuncError } from "../common/errors";
import type { Log } from "../common/log";
import { identityOf, keyFingerprint } from "../pki/certificates/identity";
import { subjectNameOf } from "../pki/certificates/subjectName";
import type { XmlRpcValue } from "../wire/value";
import {
  accessSignature,
  readAccessFiles,
  type AccessFiles,
  type AccessPlaces,
  type PlacedRule,
} from "./aclFiles";
import { idleRules } from "./idleRules";
import { NAME_LISTS, type MethodRegistry } from "./methodRegistry";
import type { Caller } from "./minionModule";
import { presetAllows, type Preset } from "./presets";
import { VanishedRules } from "./vanishedRules";

/** The roles whose certificates may call methods. Everything else is denied. */
const CALLING_ROLES: ReadonlySet<string> = new Set(["overlord", "operator"]);
/** A changed file is seen by the first call after so long. */
const LOOK_EVERY_MS = 1_000;
/** A file changed so shortly before it was read may change again within the same tick of its clock. */
const SAME_TICK_MS = 2_000;
const MAX_KNOWN_CALLERS = 1_000;

/** What a call is answered. */
export type Decision =
  /** `by`: the preset, or file and line of the rule. */
  | { allowed: true; by: string }
  | {
      allowed: false;
      /** For the audit, and the overlord. */
      reason: string;
      /** For whoever called. */
      told: string;
    };

/**
 * The caller that a connection's certificate stands for. `isNamed` says whether a rule names a certificate
 * without a role. Throws FuncError "denied" where it is no caller: no certificate, no identity in it,
 * another role, or a date outside its life.
 */
export function callerOf(
  certificate: X509Certificate | undefined,
  address: string,
  isNamed: (caller: Caller) => boolean = () => false,
): Caller {
  if (!certificate) throw new FuncError("denied", `${address} shows no certificate`);
  const caller = withRole(certificate, address) ?? cnOnly(certificate, address);
  if (!caller || (caller.role === "cn-only" && !isNamed(caller))) {
    const name = caller ? ` (${caller.subject ?? caller.name}), and no access rule names it` : "";
    throw new FuncError("denied", `the certificate of ${address} names no role and name${name}`);
  }
  const { role, name } = caller;
  if (role !== "cn-only" && !CALLING_ROLES.has(role)) {
    throw new FuncError("denied", `${role} ${name} (${address}) may not call methods`);
  }
  const now = Date.now();
  if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) {
    throw new FuncError(
      "denied",
      `the certificate of ${role} ${name} (${address}) is valid from ${certificate.validFrom} to ${certificate.validTo} only`,
    );
  }
  return caller;
}

/**
 * The one place that decides who may call what, for sync and async calls alike. A call is allowed by the
 * preset of its caller's role or by a rule of a file; what nothing allows is denied. The rules are read
 * anew when their files have changed.
 */
export class AccessControl {
  readonly #places: AccessPlaces;
  readonly #registry: MethodRegistry;
  readonly #log: Log;
  readonly #onProblem: (problem: string | undefined) => void;
  readonly #vanished: VanishedRules;
  #files: AccessFiles;
  #lookedAtMs: number;
  /** What narrowed calls was gone at the last look. */
  #missed = false;
  #idleTold = "";
  /** The rules that name a caller. */
  readonly #rulesOf = new Map<string, PlacedRule[]>();

  /** `onProblem` hears what is wrong with the files, and that nothing is any more. */
  constructor(
    places: AccessPlaces,
    registry: MethodRegistry,
    log: Log,
    onProblem: (problem: string | undefined) => void = () => undefined,
  ) {
    this.#places = places;
    this.#registry = registry;
    this.#log = log;
    this.#onProblem = onProblem;
    this.#vanished = new VanishedRules(places.home);
    this.#lookedAtMs = Date.now();
    this.#files = this.#vanished.judge(readAccessFiles(places));
    if (this.#files.problem !== undefined) this.#onProblem(this.#files.problem);
    if (this.#files.problem !== undefined || this.#files.folder) this.#tell();
    this.#warn();
  }

  /** See `callerOf`. */
  admit(certificate: X509Certificate | undefined, address: string): Caller {
    return callerOf(certificate, address, (caller) => this.#rulesFor(caller).length > 0);
  }

  /** `method` is the name without "async.". */
  decide(caller: Caller, method: string, params: readonly XmlRpcValue[]): Decision {
    const who = `${caller.role} ${caller.name}`;
    if (method === "") return denied(`${who} names no method`);
    const isOverlord = caller.role === "overlord";
    if (isOverlord && this.#isForRepair(method))
      return { allowed: true, by: "what every overlord may do" };
    const rules = this.#rulesFor(caller);
    const { problem } = this.#files;
    if (problem !== undefined) {
      const reason = `no call is allowed while the access rules are wrong: ${problem}`;
      return { allowed: false, reason, told: isOverlord ? reason : "the access rules are wrong" };
    }
    const risk = this.#registry.riskOf(method);
    const preset = this.#presetOf(caller);
    if (presetAllows(preset, risk)) return { allowed: true, by: `the preset ${preset}` };
    const call = { method, risk, params, nowMs: Date.now() };
    const rule = rules.find((one) => one.allows(call));
    if (rule) return { allowed: true, by: `${rule.file}:${rule.line}` };
    return denied(`no access rule allows ${who} to call ${method.slice(0, 100)} like this`);
  }

  /** True for overlords, and for whom a preset or a rule lets do everything. */
  mayAll(caller: Caller): boolean {
    if (caller.role === "overlord" || this.#presetOf(caller) === "full") return true;
    // what has no name and no risk is allowed only by what allows all
    const any = { method: "", risk: undefined, params: [], nowMs: Date.now() };
    return this.#rulesFor(caller).some((rule) => rule.allows(any));
  }

  /** See `idleRules`. */
  idle(): string[] {
    return idleRules(this.#files.rules, [...this.#registry.handlerNames(), ...NAME_LISTS]);
  }

  /** What is wrong with the files, with file and line. */
  get problem(): string | undefined {
    return this.#files.problem;
  }

  /** Whatever the files say, the overlord can see how the minion is, and keep its trust up to date. */
  #isForRepair(method: string): boolean {
    if (method === "test.ping") return true;
    if (method.startsWith("trust.")) return this.#registry.lookup(method) !== undefined;
    return method.startsWith("system.") && this.#registry.riskOf(method) === "read";
  }

  #presetOf({ role }: Caller): Preset {
    const { presets, folder } = this.#files;
    if (role === "overlord") return presets?.overlord ?? "full";
    if (role === "originator") return presets?.originators ?? presets?.overlord ?? "full";
    if (role === "operator") return presets?.operators ?? (folder ? "none" : "full");
    return "none";
  }

  #rulesFor(caller: Caller): PlacedRule[] {
    this.#look();
    const key = [caller.role, caller.keyFingerprint, caller.name, caller.subject].join(" ");
    let rules = this.#rulesOf.get(key);
    if (!rules) {
      rules = this.#files.rules.filter((rule) => rule.names(caller));
      if (this.#rulesOf.size >= MAX_KNOWN_CALLERS) this.#rulesOf.clear();
      this.#rulesOf.set(key, rules);
    }
    return rules;
  }

  #look(): void {
    const now = Date.now();
    if (Math.abs(now - this.#lookedAtMs) < LOOK_EVERY_MS) return;
    const unsure = this.#lookedAtMs - this.#files.changedAtMs < SAME_TICK_MS;
    this.#lookedAtMs = now;
    if (!unsure && accessSignature(this.#places) === this.#files.signature) return;
    const before = this.#files;
    const files = readAccessFiles(this.#places);
    // some editors take a file away before they put the new one there: nobody may use that moment
    const isGone = (before.folder && !files.folder) || (before.presets && !files.presets);
    if (isGone === true && files.problem === undefined && !this.#missed) {
      this.#missed = true;
      return;
    }
    this.#missed = false;
    this.#files = this.#vanished.judge(files);
    this.#rulesOf.clear();
    this.#warn();
    if (this.#files.problem === before.problem) return;
    this.#tell();
    this.#onProblem(this.#files.problem);
  }

  #tell(): void {
    const { problem } = this.#files;
    if (problem === undefined) this.#log.info("the access rules are in use", this.#counts());
    else this.#log.error("the access rules are wrong, and calls are denied", { problem });
  }

  /** Of what is misspelt, once. */
  #warn(): void {
    const idle = this.idle();
    const told = idle.join("\n");
    if (told !== this.#idleTold && told !== "") {
      this.#log.warn("access rules allow what is not there", { rules: idle });
    }
    this.#idleTold = told;
  }

  #counts(): Record<string, unknown> {
    return { rules: this.#files.rules.length, ...this.#files.presets };
  }
}

function denied(reason: string): Decision {
  return { allowed: false, reason, told: reason };
}

function withRole(certificate: X509Certificate, address: string): Caller | undefined {
  const identity = identityOf(certificate);
  if (!identity) return undefined;
  const subject = subjectOf(certificate);
  return { ...identity, address, ...(subject !== undefined && { subject }) };
}

/** The original's certificates have no alternative names. */
function cnOnly(certificate: X509Certificate, address: string): Caller | undefined {
  const names: unknown = certificate.subjectAltName;
  if (names !== undefined && (typeof names !== "string" || names.includes("URI:func:"))) {
    return undefined;
  }
  const subject = subjectOf(certificate);
  const name = subjectNameOf(certificate)?.commonName;
  if (subject === undefined || name === undefined) return undefined;
  const fingerprint = keyFingerprint(certificate);
  return { role: "cn-only", name, subject, keyFingerprint: fingerprint, address };
}

function subjectOf(certificate: X509Certificate): string | undefined {
  const subject = subjectNameOf(certificate);
  return subject && `${subject.commonName}-${subject.hash}`;
}
