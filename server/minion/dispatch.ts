import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { EXECUTE_METHOD } from "../pki/documents/delegatedCall";
import { REMOTE_ERROR } from "../wire/remoteError";
import { RpcFault } from "../wire/rpcFault";
import type { XmlRpcValue } from "../wire/value";
import type { AccessControl, Decision } from "./accessControl";
import { checkArguments } from "./argumentCheck";
import { argumentsDigest, auditedCaller, type Audit } from "./audit";
import { AuditRepeats } from "./auditRepeats";
import type { CallJournal } from "./callJournal";
import { callOwner } from "./callOwner";
import { FUNC_EXCEPTION, LOST, MethodError, toRemoteError } from "./methodError";
import { NAME_LISTS, type MethodRegistry } from "./methodRegistry";
import type { MinionJobs } from "./minionJobs";
import type { Caller, CarriedCall, CommandSpec } from "./minionModule";
import type { OpenedCall, SignedCalls } from "./signedCall";
import type { SyncCalls } from "./syncCalls";

const ASYNC_PREFIX = "async.";
const DENIED_FAULT = "<class 'func.minion.codes.AccessToMethodDenied'>:";
const MAX_CALL_ID_LENGTH = 512;
const MAX_AUDITED_METHOD_LENGTH = 200;

export interface CallRequest {
  method: string;
  params: XmlRpcValue[];
  caller: Caller;
  callId?: string;
  /** The caller is one of our own, which can show why it was denied. */
  native?: boolean;
  connectionClosed: AbortSignal;
  /** Of a call that its originator has signed: point in time until which it could come again. */
  replayableUntilMs?: number;
}

interface DispatchParts {
  registry: MethodRegistry;
  access: AccessControl;
  jobs: MinionJobs;
  syncCalls: SyncCalls;
  journal: CallJournal;
  audit: Audit;
  signedCalls: SignedCalls;
  log: Log;
}

/** From a request to its answer, in the order of the original (FUNC-SPEC 1.2). */
export class Dispatcher {
  readonly #repeats = new AuditRepeats();

  constructor(private readonly parts: DispatchParts) {}

  /**
   * The answer; what a method raises is the REMOTE_ERROR value. Throws RpcFault only for a denied call. The answer
   * to a signed call is a pair, the value and its receipt; to an async one the job's id.
   */
  async handle(request: CallRequest): Promise<XmlRpcValue> {
    const isAsync = request.method === ASYNC_PREFIX + EXECUTE_METHOD;
    if (!isAsync && request.method !== EXECUTE_METHOD) return this.#dispatch(request);
    const { caller, params, native, connectionClosed } = request;
    let opened: OpenedCall;
    try {
      await this.#checkBringer(request);
      opened = this.parts.signedCalls.open(params, isAsync, caller);
    } catch (error) {
      if (error instanceof RpcFault) throw error;
      const value = toRemoteError(error);
      await this.parts.audit.write({
        ...auditedCaller(caller),
        method: EXECUTE_METHOD,
        async: isAsync,
        argumentsDigest: argumentsDigest(params),
        outcome: outcomeOf(value),
        reason: messageOf(error),
      });
      return value;
    }
    const value = await this.#dispatch({ ...opened, native, connectionClosed });
    const isStarted = isAsync && typeof value === "string";
    return isStarted ? value : this.parts.signedCalls.answer(opened.callId, value);
  }

  /** Overlords may bring what others have signed, whatever they may do themselves. */
  async #checkBringer({ caller, params, native }: CallRequest): Promise<void> {
    if (caller.role === "overlord") return;
    const decision = this.parts.access.decide(caller, EXECUTE_METHOD, params);
    if (decision.allowed) return;
    const { reason, told } = decision;
    const entry = { ...auditedCaller(caller), method: EXECUTE_METHOD, outcome: "denied", reason };
    await this.parts.audit.write(entry);
    throw new RpcFault(1, native ? `${DENIED_FAULT} ${told}` : DENIED_FAULT);
  }

  async #dispatch(request: CallRequest): Promise<XmlRpcValue> {
    const { params, caller, callId } = request;
    const isAsync = request.method.startsWith(ASYNC_PREFIX);
    const method = isAsync ? request.method.slice(ASYNC_PREFIX.length) : request.method;
    const digest = argumentsDigest(params);
    const audit = (outcome: string, jobId?: string, reason?: string): Promise<void> =>
      this.parts.audit.write({
        ...auditedCaller(caller),
        method: method.slice(0, MAX_AUDITED_METHOD_LENGTH),
        async: isAsync,
        argumentsDigest: digest,
        jobId,
        callId: callId?.slice(0, MAX_CALL_ID_LENGTH),
        outcome,
        reason,
      });
    const decision = await this.#decide(method, request);
    if (!decision.allowed) {
      await audit("denied", undefined, decision.reason);
      throw new RpcFault(1, request.native ? `${DENIED_FAULT} ${decision.told}` : DENIED_FAULT);
    }
    if (callId !== undefined && callId.length > MAX_CALL_ID_LENGTH) {
      await audit("denied", undefined, "the Func-Call id is too long");
      throw new RpcFault(1, "the Func-Call id is too long");
    }
    if (NAME_LISTS.has(method)) {
      await audit("ok");
      return this.parts.registry.handlerNames();
    }
    const start = {
      method,
      argumentsDigest: digest,
      owner: callOwner(caller),
      callId,
      ...(request.replayableUntilMs !== undefined && { signed: true }),
    };
    try {
      if (isAsync) {
        this.#refuseGivenUp(method, request);
        this.#refuseReplay(method, request);
        const jobId = await this.parts.jobs.start({
          ...start,
          work: this.#asyncWork(method, request),
        });
        await this.#rememberStart(request);
        await audit("started", jobId);
        return jobId;
      }
      // what may change the host is on record before it begins, whatever becomes of funcd then
      const mayChange = this.#mayChange(method);
      if (mayChange) await audit("started");
      const value = await this.parts.syncCalls.run(start, (signal) =>
        mayChange && !this.#isRepeatable(method)
          ? this.#callOnce(method, request, signal)
          : this.#call(method, request, signal),
      );
      const outcome = outcomeOf(value);
      if (outcome !== "ok" || !this.#isRepeat(method, request)) await audit(outcome);
      return value;
    } catch (error) {
      const value = toRemoteError(error);
      this.parts.log.warn("a call was not run", { method, problem: messageOf(error) });
      await audit(outcomeOf(value));
      return value;
    }
  }

  async #decide(method: string, { caller, params }: CallRequest): Promise<Decision> {
    const { access, registry } = this.parts;
    const decision = access.decide(caller, method, params);
    const declared = registry.lookup(method);
    if (!decision.allowed || !declared) return decision;
    const { carries, othersBusiness } = declared;
    if (!carries && (!othersBusiness || access.mayAll(caller))) return decision;
    let values: (XmlRpcValue | undefined)[];
    let carried: CarriedCall | undefined;
    try {
      values = checkArguments(method, declared.args, params);
      carried = carries?.(...values);
    } catch {
      return decision; // the call then ends with what is wrong
    }
    if (carried) return access.decide(caller, carried.method, carried.params);
    const reason = await othersBusiness?.(caller, ...values);
    return reason === undefined ? decision : { allowed: false, reason, told: reason };
  }

  /** A command of its own where the method is one and its arguments are right, else work inside funcd. */
  #asyncWork(
    method: string,
    request: CallRequest,
  ): CommandSpec | ((signal: AbortSignal) => Promise<XmlRpcValue>) {
    const declared = this.parts.registry.lookup(method);
    if (declared?.asCommand) {
      try {
        return declared.asCommand(...checkArguments(method, declared.args, request.params));
      } catch {
        // the job then ends with what is wrong
      }
    }
    return (signal) => this.#call(method, request, signal);
  }

  #mayChange(method: string): boolean {
    const declared = this.parts.registry.lookup(method);
    return declared !== undefined && declared.risk !== "read";
  }

  #isRepeatable(method: string): boolean {
    return this.parts.registry.lookup(method)?.repeatable === true;
  }

  #isRepeat(method: string, { caller, params }: CallRequest): boolean {
    if (this.parts.registry.lookup(method)?.repeats !== true) return false;
    const about = typeof params[0] === "string" ? params[0].slice(0, MAX_CALL_ID_LENGTH) : "";
    return this.#repeats.isRepeat(caller.keyFingerprint, method, about);
  }

  /** Never rejects, and never runs a call id of an earlier funcd again. */
  async #callOnce(method: string, request: CallRequest, signal: AbortSignal): Promise<XmlRpcValue> {
    const { callId, caller } = request;
    if (callId !== undefined) {
      const key = `${callOwner(caller)} ${callId}`;
      try {
        this.#refuseGivenUp(method, request);
        if (this.parts.journal.has(key)) {
          throw new MethodError(
            LOST,
            `this ${method} was begun before, and its result is not known any more; it was not run again`,
          );
        }
        await this.parts.journal.record(key, request.replayableUntilMs);
      } catch (error) {
        return toRemoteError(error);
      }
    }
    return this.#call(method, request, signal);
  }

  /** Throws MethodError where the caller was told that this call was never begun. */
  #refuseGivenUp(method: string, { caller, callId }: CallRequest): void {
    if (callId === undefined) return;
    if (!this.parts.journal.isGivenUp(`${callOwner(caller)} ${callId}`)) return;
    throw new MethodError(
      FUNC_EXCEPTION,
      `this ${method} was given up by its caller before it came; it was not run`,
    );
  }

  /** A signed call can come again after its job is no longer kept. Throws MethodError where it was begun before. */
  #refuseReplay(method: string, { caller, callId, replayableUntilMs }: CallRequest): void {
    if (callId === undefined || replayableUntilMs === undefined) return;
    const owner = callOwner(caller);
    const { jobs, journal } = this.parts;
    if (jobs.hasCall(callId, owner) || !journal.has(`${owner} ${callId}`)) return;
    throw new MethodError(
      LOST,
      `this ${method} was begun before, and its job is no longer kept; it was not run again`,
    );
  }

  async #rememberStart({ caller, callId, replayableUntilMs }: CallRequest): Promise<void> {
    if (callId === undefined || replayableUntilMs === undefined) return;
    const key = `${callOwner(caller)} ${callId}`;
    const { journal } = this.parts;
    if (!journal.has(key)) await journal.record(key, replayableUntilMs);
  }

  async #call(method: string, request: CallRequest, signal: AbortSignal): Promise<XmlRpcValue> {
    try {
      const declared = this.parts.registry.find(method);
      const values = checkArguments(method, declared.args, request.params);
      const { caller, connectionClosed } = request;
      return await declared.handler({ caller, signal, connectionClosed }, ...values);
    } catch (error) {
      return toRemoteError(error);
    }
  }
}

function outcomeOf(value: XmlRpcValue): string {
  if (!Array.isArray(value) || value[0] !== REMOTE_ERROR) return "ok";
  return typeof value[1] === "string" ? `error ${value[1]}` : "error";
}
