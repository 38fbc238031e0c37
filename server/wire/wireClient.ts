import type { SecureContext } from "node:tls";
import { createSecureContext } from "node:tls";
import { FuncError, messageOf } from "../common/errors";
import type { AnswerBody, AnswerHead } from "./answerBody";
import { openAnswerBody } from "./answerBody";
import type { AnswerMemory } from "./answerMemory";
import { answerError } from "./answerError";
import { callLimits } from "./callLimits";
import type { RequestedLimits } from "./callLimits";
import type { DecodedResponse, DecodeLimits } from "./decode";
import { decodeResponse, DEFAULT_LIMITS } from "./decode";
import { DecodeBudget } from "./decodeBudget";
import { callDocument } from "./encode";
import { exchange } from "./exchange";
import { HeldConnections } from "./heldConnections";
import type { HttpResponse } from "./httpResponse";
import { SMALL_BODY_BYTES } from "./httpResponse";
import type { OutgoingDocument } from "./outgoingDocument";
import type { OutputSpool } from "./outputSpool";
import type { PeerCertificate } from "./peerCertificate";
import { PeerMemory } from "./peerMemory";
import { REFUSED_HEADER } from "./refusal";
import { PendingCall } from "./pendingCall";
import { RpcFault } from "./rpcFault";
import { refusedCertificate } from "./tlsErrors";
import type { XmlRpcValue } from "./value";
import type { AcceptExpired, PeerJudges, VerifyPeer } from "./wireConnection";
import { LEAST_TLS, verify, WireConnection } from "./wireConnection";
import { badAddress, brokenAnswer } from "./wireErrors";
import type { WirePeer } from "./wirePeer";
import { peerKey } from "./wirePeer";

export type { WirePeer } from "./wirePeer";

const DEFAULT_MAX_HELD = 2_000; // about 120 MB
const DEFAULT_IDLE_MS = 60_000; // below the server's 120 s, so that it is we who close
/** For all answers together that come in at the same time, what goes to the spool apart. */
const DECODE_BYTES = 64 * 1024 * 1024;
const CALL_ID = /^[\x21-\x7e]{1,512}$/;

export interface CallOptions extends RequestedLimits {
  signal?: AbortSignal;
  /** The overlord's id of this attempt; sent as `Func-Call`, to func/1 peers only. */
  callId?: string;
  /** Called right before the first byte of the request goes out: from here on the call may have run. */
  onSent?: () => void;
  /** Holds the memory of a large answer; without it nothing counts any more what has been decoded. */
  memory?: AnswerMemory;
  /** The answer stays in memory, nothing of it goes to the spool; it has so many bytes at most. */
  inMemoryBytes?: number;
  /** Asked once there is a connection: where it gives a promise, nothing is sent before that resolves. */
  beforeSending?: () => Promise<void> | undefined;
}

export interface WireClientOptions {
  /** PEM. Without key and certificate (enrolment) the client shows none. */
  key?: string;
  certificate?: string;
  /** PEM: the only CA that peers' certificates may come from. */
  ca: string;
  /** Judges who a peer is, on every connection and every reuse of one. Throws to refuse. */
  verifyPeer: VerifyPeer;
  /** Judges certificates that have expired; without it, none is accepted. */
  acceptExpired?: AcceptExpired;
  /** Why nothing that this peer answers counts any more, if so; asked again when the answer is there. */
  revoked?: (certificate: PeerCertificate) => FuncError | undefined;
  maxHeld?: number;
  idleMs?: number;
  limits?: Partial<DecodeLimits>;
  /** Where strings and base64 of more than `liftBytes` go while they come in; without it they stay in memory. */
  spool?: OutputSpool;
  /** 64 KiB by default. */
  liftBytes?: number;
}

/** Calls methods of peers by XML-RPC over mutual TLS; keeps connections and TLS sessions between calls. */
export class WireClient {
  readonly #context: SecureContext;
  readonly #judges: PeerJudges;
  readonly #revoked: (certificate: PeerCertificate) => FuncError | undefined;
  readonly #limits: DecodeLimits;
  readonly #held: HeldConnections;
  /** The connection that carries each call. */
  readonly #carriers = new Map<PendingCall, WireConnection>();
  /** Calls whose request has not begun to leave. */
  readonly #unsent = new Set<PendingCall>();
  readonly #memory = new PeerMemory();
  readonly #closing = new AbortController();
  readonly #budget = new DecodeBudget(DECODE_BYTES);
  readonly #spool?: OutputSpool;
  readonly #liftBytes: number;

  /** Throws FuncError "bad-argument" where key, certificate and CA do not fit together. */
  constructor(options: WireClientOptions) {
    const { key, certificate, ca } = options;
    try {
      this.#context = createSecureContext({ key, cert: certificate, ca, minVersion: LEAST_TLS });
    } catch (error) {
      throw new FuncError(
        "bad-argument",
        `The client's key and certificate cannot be used: ${messageOf(error)}`,
        undefined,
        { cause: error },
      );
    }
    this.#judges = { verifyPeer: options.verifyPeer, acceptExpired: options.acceptExpired };
    this.#revoked = options.revoked ?? (() => undefined);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#spool = options.spool;
    this.#liftBytes = options.liftBytes ?? SMALL_BODY_BYTES;
    this.#held = new HeldConnections(
      options.maxHeld ?? DEFAULT_MAX_HELD,
      options.idleMs ?? DEFAULT_IDLE_MS,
    );
  }

  /**
   * Calls `method` of `peer` once; it is never repeated by itself. Throws RpcFault where the peer answered
   * with a fault, else FuncError: "name-not-found", "refused", "unreachable", "tls", "wrong-identity" (in
   * all of these nothing was run), "timed-out", "broken-answer", "too-large", "cancelled", or
   * "bad-argument" where `params` cannot be sent, "unavailable" where an output cannot be written to the spool.
   */
  async call(
    peer: WirePeer,
    method: string,
    params: readonly XmlRpcValue[],
    options: CallOptions = {},
  ): Promise<XmlRpcValue> {
    const { callId } = options;
    if (callId !== undefined && !CALL_ID.test(callId)) {
      throw new FuncError("bad-argument", "A call id has 1 to 512 visible ASCII characters.");
    }
    const document = callDocument(method, params);
    if (document.length > DEFAULT_LIMITS.maxBytes) throw callTooLarge(method, document.length);
    const answer = this.#read(peer, await this.#exchange(peer, document, options));
    if ("fault" in answer) throw new RpcFault(answer.fault.code, answer.fault.message);
    return answer.value;
  }

  /** Whether the last connection to `peer` negotiated func/1; undefined before the first. */
  isNative(peer: WirePeer): boolean | undefined {
    return this.#memory.peek(peerKey(peer))?.native;
  }

  /** Calls that wait for a connection, or for their turn. */
  get unsent(): number {
    return this.#unsent.size;
  }

  /** The peer goes under another key from now on; what is known of it is so still. */
  rekeyed(before: WirePeer, after: WirePeer): void {
    const native = this.isNative(before);
    if (native !== undefined) this.#memory.get(peerKey(after)).native ??= native;
  }

  /** Ends the connections to peers that are revoked by now; calls under way fail. */
  dropRevoked(): void {
    this.#held.drop(({ certificate }) => this.#revoked(certificate) !== undefined);
    for (const [pending, { certificate }] of [...this.#carriers]) {
      const revoked = this.#revoked(certificate);
      if (revoked) pending.settle(revokedMeanwhile(revoked));
    }
  }

  /** Ends all connections; calls under way fail with "cancelled". */
  close(): void {
    this.#closing.abort();
    this.#held.clear();
    this.#memory.clear();
  }

  #exchange(peer: WirePeer, body: OutgoingDocument, options: CallOptions): Promise<HttpResponse> {
    const key = peerKey(peer);
    const signals = [this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const pending = new PendingCall(peer, callLimits(options), signals);
    if (pending.settled) return pending.result;
    this.#unsent.add(pending);
    const ended = (): void => void this.#unsent.delete(pending);
    pending.result.then(ended, ended);
    const fail = (error: unknown): void => {
      pending.settle(error instanceof Error ? error : new Error(String(error)));
    };
    const use = (connection: WireConnection): void => {
      const request = {
        peer,
        body,
        callId: options.callId,
        maxAnswerBytes: options.inMemoryBytes ?? this.#limits.maxBytes,
        openBody: (head: AnswerHead) => this.#openBody(head, pending, options),
        onExpecting: (bytes: number) => {
          pending.expecting(bytes);
        },
        onHolding: () => {
          pending.suspend();
        },
        onReading: () => {
          pending.resume();
        },
        onSending: () => {
          ended();
          pending.sending(body.length);
          options.onSent?.();
        },
        onTaken: (bytes: number) => {
          pending.taken(bytes);
        },
        onDelivered: () => {
          pending.delivered();
        },
      };
      this.#carriers.set(pending, connection);
      exchange(connection, request, (answer) => {
        this.#carriers.delete(pending);
        const revoked = this.#revoked(connection.certificate);
        const result = revoked ? revokedMeanwhile(revoked) : answer;
        if (!pending.settled && !(result instanceof Error) && result.keepAlive) {
          this.#held.put(key, connection);
        } else {
          connection.destroy();
        }
        pending.settle(result);
      });
    };
    const ready = (connection: WireConnection): void => {
      pending.connected(connection.socket);
      const turn = options.beforeSending?.();
      if (!turn) {
        use(connection);
        return;
      }
      connection.socket.resume(); // else nobody would notice that it ends
      turn
        .then(() => {
          if (pending.settled) return;
          // its peer may have had enough of waiting
          if (connection.usable) use(connection);
          else this.#connect(peer, pending, ready, fail);
        })
        .catch(fail);
    };
    const held = this.#held.take(key);
    if (!held) {
      this.#connect(peer, pending, ready, fail);
      return pending.result;
    }
    try {
      verify(held, peer, this.#judges.verifyPeer);
      ready(held);
    } catch (error) {
      held.destroy();
      fail(error);
    }
    return pending.result;
  }

  #connect(
    peer: WirePeer,
    pending: PendingCall,
    ready: (connection: WireConnection) => void,
    fail: (error: unknown) => void,
  ): void {
    const facts = this.#memory.get(peerKey(peer));
    const onConnection = (connection: WireConnection | Error): void => {
      if (pending.settled) return;
      try {
        if (connection instanceof Error) throw connection;
        ready(connection);
      } catch (error) {
        fail(error);
      }
    };
    try {
      pending.connecting(
        WireConnection.start(peer, this.#context, this.#judges, facts, onConnection),
      );
    } catch (error) {
      fail(badAddress(peer, error));
    }
  }

  #openBody(
    head: AnswerHead,
    pending: PendingCall,
    { memory, inMemoryBytes }: CallOptions,
  ): AnswerBody {
    const share = this.#budget.open();
    // also where this itself throws
    pending.result.catch(() => {
      share.close();
    });
    const body = openAnswerBody(head, {
      limits: { ...this.#limits, ...(inMemoryBytes !== undefined && { maxBytes: inMemoryBytes }) },
      share,
      memory,
      spool: inMemoryBytes === undefined ? this.#spool : undefined,
      liftBytes: this.#liftBytes,
    });
    pending.result.catch(() => {
      body.discard();
    });
    return body;
  }

  #read(peer: WirePeer, response: HttpResponse): DecodedResponse {
    if (response.answer) return response.answer;
    const refused = response.headers.get(REFUSED_HEADER);
    if (response.status === 403 && refused !== undefined) throw refusedCertificate(peer, refused);
    if (response.status !== 200) {
      throw brokenAnswer(peer, `answered with HTTP status ${response.status}`);
    }
    try {
      return decodeResponse(response.body, this.#limits);
    } catch (error) {
      throw answerError(peer, error);
    }
  }
}

/** The request had left by then. */
function revokedMeanwhile({ reason, message, nextStep }: FuncError): FuncError {
  return new FuncError(reason, `${message} The call may have run.`, nextStep);
}

function callTooLarge(method: string, bytes: number): FuncError {
  return new FuncError(
    "bad-argument",
    `The arguments of ${method} make a request of ${bytes} bytes, more than the ${DEFAULT_LIMITS.maxBytes} that are read. Nothing was sent.`,
    "Give it less at a time.",
  );
}
