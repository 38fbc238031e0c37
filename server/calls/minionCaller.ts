import { FuncError, messageOf, type ErrorReason } from "../common/errors";
import type { Log } from "../common/log";
import { LIST_WANTED_FAULT } from "../pki/documents/revocationList";
import type { CallError, MinionCallState } from "../protocol/jobs";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { NotDelivered } from "../wire/limitErrors";
import { asRemoteError, callErrorOf } from "../wire/remoteError";
import { RpcFault } from "../wire/rpcFault";
import type { XmlRpcValue } from "../wire/value";
import type { CallOptions, WireClient, WirePeer } from "../wire/wireClient";
import { CancelTeller, type CancelAnswer } from "./cancelTeller";
import { AsideLane } from "./place";
import type { Upkeep } from "./upkeep";

/** Part of the exception's name by which funcd, the original's too, refuses a call. */
const DENIED = "AccessToMethodDenied";
/** What a native minion says of files that it cannot use. */
const RULES_WRONG = "access rules are wrong: ";

/** Limits of the steps before a method runs, in ms; by default the wire client's own. */
export type MinionLimits = Pick<CallOptions, "connectTimeoutMs" | "deliveryTimeoutMs">;

export interface MinionCallOptions {
  /** Limit from the delivery of the request until the answer begins. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Names this attempt, so that a native minion runs it once and can be told to cancel it. */
  callId?: string;
  /** The request has left; from here on it may have run. */
  onSent?: () => void;
  /** See CallOptions of the wire client. */
  beforeSending?: CallOptions["beforeSending"];
  memory?: CallOptions["memory"];
  inMemoryBytes?: CallOptions["inMemoryBytes"];
}

/** How one call on one minion ended. */
export type MinionCallOutcome =
  | { state: "succeeded"; value: XmlRpcValue }
  | {
      state: Extract<
        MinionCallState,
        "failed" | "denied" | "timed-out" | "unreachable" | "cancelled"
      >;
      error: CallError;
      /** Of the FuncError that ended it, if one did. */
      reason?: ErrorReason;
      /** The minion itself gave this answer, by a value or a fault. */
      answered: boolean;
      /** The request had left, and nobody knows what became of it. */
      mayHaveRun: boolean;
    };

/** Calls single minions and keeps the inventory's view of them up to date. */
export class MinionCaller {
  /** For the fan-outs of all jobs together. */
  readonly aside = new AsideLane();
  readonly #cancels: CancelTeller;

  constructor(
    /** The client with the overlord's present certificate. */
    private readonly wire: () => Promise<WireClient>,
    private readonly inventory: Inventory,
    private readonly log: Log,
    private readonly limits: MinionLimits = {},
    /** Done in this order. */
    private readonly upkeeps: readonly Upkeep[] = [],
  ) {
    this.#cancels = new CancelTeller(wire, log);
  }

  /** Calls one method. Never throws: whatever goes wrong is the outcome. */
  async call(
    minion: MinionRecord,
    method: string,
    params: XmlRpcValue[],
    options: MinionCallOptions,
  ): Promise<MinionCallOutcome> {
    const request = { sent: false };
    const attempt = () => this.attempt(minion, method, params, options, request);
    try {
      const value = await attempt().catch(async (error: unknown) => {
        const mending =
          request.sent && !isPutOff(error) ? undefined : this.mend(minion, error, options.signal);
        if (!mending) throw error;
        await mending;
        request.sent = false;
        return attempt();
      });
      this.inventory.sawOnline(minion.name);
      for (const upkeep of this.upkeeps) upkeep.answered?.(minion);
      return outcomeOfValue(value);
    } catch (error) {
      const peer = this.peerNow(minion);
      const outcome = this.outcomeOfError(error, peer, request.sent);
      if (outcome.state !== "cancelled" || !request.sent) return outcome;
      return { ...outcome, error: cancelledError(peer, await this.isNative(minion)) };
    }
  }

  private async attempt(
    minion: MinionRecord,
    method: string,
    params: XmlRpcValue[],
    options: MinionCallOptions,
    request: { sent: boolean },
  ): Promise<XmlRpcValue> {
    for (const upkeep of this.upkeeps) {
      const first = upkeep.before?.(this.recordNow(minion), options.signal);
      if (first) await first;
    }
    const wire = await this.wire();
    return wire.call(this.peerNow(minion), method, params, {
      connectTimeoutMs: this.limits.connectTimeoutMs,
      deliveryTimeoutMs: this.limits.deliveryTimeoutMs,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      callId: options.callId,
      beforeSending: options.beforeSending,
      memory: options.memory,
      inMemoryBytes: options.inMemoryBytes,
      onSent: () => {
        request.sent = true;
        options.onSent?.();
      },
    });
  }

  private mend(
    minion: MinionRecord,
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> | undefined {
    for (const upkeep of this.upkeeps) {
      const mending = upkeep.mend?.(this.recordNow(minion), error, signal);
      if (mending) return mending;
    }
    return undefined;
  }

  /** True where the last connection to the minion was to one of our own funcd. Never throws. */
  async isNative(minion: MinionRecord): Promise<boolean> {
    const wire = await this.wire().catch(() => undefined);
    return wire?.isNative(this.peerNow(minion)) === true;
  }

  /** True where the last connection to the minion was to a funcd of the original. Never throws. */
  async isOriginal(minion: MinionRecord): Promise<boolean> {
    const wire = await this.wire().catch(() => undefined);
    return wire?.isNative(this.peerNow(minion)) === false;
  }

  /** Asks a native minion to stop a call (by its Func-Call id) or a job (by its own id). Never throws. */
  tellCancel(minion: MinionRecord, id: string): Promise<CancelAnswer> {
    return this.#cancels.tell(() => this.peerNow(minion), id);
  }

  private peerNow(minion: MinionRecord): WirePeer {
    return peerOf(this.recordNow(minion));
  }

  /**
   * A job may take long: where the host is reached can be corrected meanwhile, and its certificate renewed;
   * who it is cannot change.
   */
  private recordNow(minion: MinionRecord): MinionRecord {
    const now = this.inventory.find(minion.name);
    return now?.enrolledAtMs === minion.enrolledAtMs ? now : minion;
  }

  private outcomeOfError(
    error: unknown,
    peer: WirePeer,
    sent: boolean,
  ): Exclude<MinionCallOutcome, { state: "succeeded" }> {
    const callError = callErrorOf(error, peer);
    if (error instanceof RpcFault) {
      this.inventory.sawOnline(peer.name);
      const denied = error.faultString.includes(DENIED);
      return {
        state: denied ? "denied" : "failed",
        error: denied ? withNextStep(callError, deniedStep(peer, error.faultString)) : callError,
        answered: true,
        mayHaveRun: false,
      };
    }
    const reason = error instanceof FuncError ? error.reason : undefined;
    // once the request has left, it is the answer that there is no room for here
    const notKept = sent && reason === "unavailable";
    const state = reason === undefined || notKept ? undefined : STATES[reason];
    if (state === undefined && !(error instanceof FuncError)) {
      this.log.error("a call failed for an unexpected reason", {
        minion: peer.name,
        problem: messageOf(error),
      });
    }
    // a limit that passed before the request left is the connection's
    if (state === "unreachable" || (state === "timed-out" && !sent)) {
      this.inventory.sawUnreachable(peer.name, callError.message);
    }
    const undelivered = error instanceof FuncError && error.cause instanceof NotDelivered;
    const mayHaveRun = sent && !undelivered && state !== "unreachable";
    const outcome = { state: state ?? "failed", reason, answered: false, mayHaveRun } as const;
    if (!mayHaveRun) return { ...outcome, error: callError };
    return { ...outcome, error: withNextStep(callError, mayHaveRunStep(peer)) };
  }
}

/** The minion runs nothing before it has got what it asks for. */
function isPutOff(error: unknown): boolean {
  return error instanceof RpcFault && error.code === LIST_WANTED_FAULT;
}

/** What the wire client needs to know of a minion. */
export function peerOf(minion: MinionRecord): WirePeer {
  const { name, address, port, keyFingerprint, cnOnly } = minion;
  return { name, address, port, keyFingerprint, ...(cnOnly && { cnOnly }) };
}

const STATES: Partial<Record<FuncError["reason"], "timed-out" | "unreachable" | "cancelled">> = {
  "timed-out": "timed-out",
  refused: "unreachable",
  "name-not-found": "unreachable",
  unreachable: "unreachable",
  unavailable: "unreachable",
  tls: "unreachable",
  "wrong-identity": "unreachable",
  cancelled: "cancelled",
};

/** What a value that a method returned means: an exception is one too. */
export function outcomeOfValue(value: XmlRpcValue): MinionCallOutcome {
  const error = asRemoteError(value);
  if (!error) return { state: "succeeded", value };
  const state = error.type.includes(DENIED) ? "denied" : "failed";
  return { state, error, answered: true, mayHaveRun: false };
}

function withNextStep(error: CallError, nextStep: string): CallError {
  return { ...error, nextStep: error.nextStep ?? nextStep };
}

/** The request had left: whoever called should know whether it is stopped on the host as well. */
function cancelledError(peer: WirePeer, native: boolean): CallError {
  const message = native
    ? `Cancelled; ${peer.name} is told to stop what the call started.`
    : `Cancelled on this side only: ${peer.name} cannot be told to stop, so the call may run on.`;
  const error = callErrorOf(new FuncError("cancelled", message), peer);
  return native ? error : { ...error, nextStep: mayHaveRunStep(peer) };
}

/** A native minion says why behind the exception's name, the original says nothing. */
function deniedStep(peer: WirePeer, fault: string): string {
  if (fault.includes(RULES_WRONG)) {
    return `Correct that file on ${peer.name}; until then only the overlord's test.ping, system and trust calls are let in there.`;
  }
  return `Allow the method in the access rules of funcd on ${peer.name} (docs/SECURITY.md).`;
}

function mayHaveRunStep(peer: WirePeer): string {
  return `The method may have run on ${peer.name}, or still run: look there before you call it again.`;
}
