import type { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { FuncError, messageOf } from "../../common/errors";
import { formatHostPort, type HostPort } from "../../common/hostPort";
import { parseMinionName } from "../../common/minionName";
import { fetchPresentedChain } from "../../wire/presentedChain";
import { RpcFault } from "../../wire/rpcFault";
import type { XmlRpcValue } from "../../wire/value";
import { WireClient } from "../../wire/wireClient";
import { certificateFingerprint, certificatePem } from "../certificates/certificate";
import { createCsr } from "../certificates/csr";
import { isFingerprint } from "../certificates/fingerprintWords";
import { ASK_METHOD, decodeAskAnswer, encodeAskRequest, type AskAnswer } from "./askProtocol";
import { checkedEnrolment, verifyCertmaster, type Enrolment } from "./enrolAnswer";
import { errorOfFault } from "./enrolProtocol";
import { isWorthARetry } from "./worthARetry";

const CONNECT_TIMEOUT_MS = 5000;
/** The operator's triggers may run for half a minute. */
const CALL_TIMEOUT_MS = 60_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const PAUSE_GROWTH = 1.5;

/** What to do where nothing answers. */
export const ONLY_WHILE_OPEN =
  "Check address and port. The overlord listens there only while it takes requests: func ca approval on";

/** What a host that waits can tell the person before it; `reached`: whether the certmaster ever answered. */
export type AskState = AskAnswer["state"] | { problem: string; reached: boolean };

export interface AskParams {
  at: HostPort;
  name: string;
  /** Where the minion serves. */
  port: number;
  /** Where the overlord reaches it; default: where this request comes from. */
  address?: string;
  privateKeyPem: string;
  /** The overlord's CA, or its beginning (`parseFingerprint`): no other is asked. */
  caFingerprint?: string;
  /** For everything, until an operator has decided. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Asked before anything is sent, where no fingerprint was given: is this the overlord's CA? Throws to stop. */
  confirmAuthority: (caFingerprint: string) => Promise<void>;
  /** Told of every state once, when it is new. */
  onState?: (state: AskState) => void;
}

/**
 * Asks an overlord for a certificate and waits until an operator decides. Throws FuncError: "bad-argument" (the
 * name), "denied", "wrong-identity" (another CA), "timed-out", "cancelled", "conflict", "bad-data", "broken-answer".
 */
export async function askForCertificate(asked: AskParams): Promise<Enrolment> {
  const params = { ...asked, name: parseMinionName(asked.name) };
  const deadlineMs = Date.now() + params.timeoutMs;
  const patience = new Patience(params, deadlineMs);
  const authority = await patience.until(() => presentedAuthority(params));
  if (params.caFingerprint === undefined) {
    await params.confirmAuthority(certificateFingerprint(authority)).catch((error: unknown) => {
      throw params.signal.aborted ? cancelled(params.name) : error;
    });
  }
  const caPem = certificatePem(authority);
  const address = formatHostPort(params.at);
  const client = new WireClient({
    ca: caPem,
    verifyPeer: (peer) => {
      verifyCertmaster(peer, address);
    },
  });
  try {
    const given = await patience.until(() => askOnce(client, params, address));
    return checkedEnrolment(given.certificate, { ...params, caPem, address }, given.ca);
  } finally {
    client.close();
  }
}

/** The CA of the server there. Nothing is sent to it. */
async function presentedAuthority(params: AskParams): Promise<X509Certificate> {
  const { at, caFingerprint, signal } = params;
  const { host: address, port } = at;
  const chain = await fetchPresentedChain({ address, port, timeoutMs: CONNECT_TIMEOUT_MS, signal });
  const found = chain.find((certificate) =>
    caFingerprint === undefined
      ? certificate.ca && certificate.checkIssued(certificate)
      : isFingerprint(caFingerprint, certificateFingerprint(certificate)),
  );
  if (found) return found;
  throw new FuncError(
    "wrong-identity",
    caFingerprint === undefined
      ? `The server at ${formatHostPort(at)} is no overlord's certmaster: it presents no CA.`
      : `The server at ${formatHostPort(at)} does not have the CA of this fingerprint.`,
    caFingerprint === undefined
      ? "Check address and port."
      : "Check address and fingerprint (func ca list); where both are right, somebody sits in between.",
  );
}

/** The certificate, and the CAs that are trusted; undefined where nobody has decided yet. */
async function askOnce(
  client: WireClient,
  params: AskParams,
  address: string,
): Promise<{ certificate: string; ca: string } | undefined> {
  const { at, name, port, signal, privateKeyPem } = params;
  const peer = { name: "certmaster", address: at.host, port: at.port };
  const request = { csr: createCsr(name, privateKeyPem), name, port, address: params.address };
  const options = { timeoutMs: CALL_TIMEOUT_MS, signal };
  const value = await client
    .call(peer, ASK_METHOD, [encodeAskRequest(request)], options)
    .catch((error: unknown) => {
      throw error instanceof RpcFault ? errorOfFault(error, address) : error;
    });
  const answer = readAnswer(value, address);
  params.onState?.(answer.state);
  if (answer.state === "approved") return answer;
  if (answer.state !== "denied") return undefined;
  const minutes = Math.max(Math.ceil(answer.retryMs / 60_000), 1);
  throw new FuncError(
    "denied",
    `An operator of the overlord at ${address} denied the request of ${name}.`,
    `Ask the operator why; this host can ask again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`,
  );
}

function readAnswer(value: XmlRpcValue, address: string): AskAnswer {
  try {
    return decodeAskAnswer(value);
  } catch (error) {
    throw new FuncError(
      "bad-data",
      `The answer of the overlord at ${address} cannot be used: ${messageOf(error)}.`,
      "Use the same version of Func Overlord on both sides.",
    );
  }
}

/** Tries again, with longer and longer pauses, until the deadline. */
class Patience {
  private reached = false;

  constructor(
    private readonly params: AskParams,
    private readonly deadlineMs: number,
  ) {}

  /** The first result that is not undefined. Throws what is not worth a retry, "timed-out" or "cancelled". */
  async until<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    const { signal, onState, at, name } = this.params;
    let last: FuncError | undefined;
    for (
      let pauseMs = FIRST_PAUSE_MS;
      ;
      pauseMs = Math.min(pauseMs * PAUSE_GROWTH, LONGEST_PAUSE_MS)
    ) {
      if (signal.aborted) throw cancelled(name);
      try {
        const result = await attempt();
        this.reached = true;
        if (result !== undefined) return result;
        last = undefined;
      } catch (error) {
        if (isCancelled(error)) throw cancelled(name);
        if (!isWorthARetry(error) && !isCutOff(error)) throw error;
        last = error;
        onState?.({ problem: messageOf(error), reached: this.reached });
      }
      // many hosts must not come back all at once
      const jitteredMs = pauseMs * (0.75 + Math.random() / 2);
      if (Date.now() + jitteredMs > this.deadlineMs) {
        const why = last ? ` (${last.message})` : "";
        throw this.reached ? undecided(name, at, why) : neverReached(name, at, why);
      }
      await sleep(jitteredMs, undefined, { signal }).catch(() => {
        throw cancelled(name);
      });
    }
  }
}

function undecided(name: string, at: HostPort, why: string): FuncError {
  return new FuncError(
    "timed-out",
    `The overlord at ${formatHostPort(at)} has not decided about ${name} in time${why}.`,
    "Run the same command again: this host keeps its key, and its request goes on waiting.",
  );
}

function neverReached(name: string, at: HostPort, why: string): FuncError {
  return new FuncError(
    "unreachable",
    `No overlord has answered at ${formatHostPort(at)}, so no request of ${name} waits anywhere${why}.`,
    ONLY_WHILE_OPEN,
  );
}

/** The listener closed under the request. */
function isCutOff(error: unknown): error is FuncError {
  return error instanceof FuncError && error.reason === "broken-answer";
}

function isCancelled(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "cancelled";
}

function cancelled(name: string): FuncError {
  return new FuncError(
    "cancelled",
    `${name} does not wait for its certificate any more.`,
    "Run the same command again to go on: this host keeps its key.",
  );
}
