import { FuncError, messageOf, type ErrorReason } from "../../common/errors";
import { parseHostPort, type HostPort } from "../../common/hostPort";
import { parseMinionName } from "../../common/minionName";
import { fetchPresentedChain } from "../../wire/presentedChain";
import { RpcFault } from "../../wire/rpcFault";
import type { XmlRpcValue } from "../../wire/value";
import { WireClient } from "../../wire/wireClient";
import { certificateFingerprint, certificatePem } from "../certificates/certificate";
import { createCsr } from "../certificates/csr";
import { checkedEnrolment, verifyCertmaster, type Enrolment } from "./enrolAnswer";
import { encodeEnrolRequest, ENROL_METHOD, errorOfFault, isStruct } from "./enrolProtocol";
import { parseJoinToken, type JoinTokenContent } from "./joinToken";

/** An address that does not answer must not use up the time of the others. */
const CONNECT_TIMEOUT_MS = 5000;

export interface EnrolParams {
  /** As `certmaster/createToken` gave it. */
  token: string;
  name: string;
  /** Where the minion serves. */
  port: number;
  /** Where the overlord reaches it; default: where this request comes from. */
  address?: string;
  privateKeyPem: string;
  /** For all addresses together. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/** An address of a token that was tried in vain. */
export interface FailedAttempt {
  address: string;
  error: unknown;
}

/**
 * Enrols this host with the overlord that made the token: tries the token's addresses in turn until one presents
 * the CA that the token pins, and sends nothing to any other. Throws FuncError: "bad-argument" for the token or
 * name, "denied" or "conflict" where the overlord refuses, "unreachable" or "wrong-identity" where no address
 * is the overlord's, "broken-answer", "timed-out", "cancelled".
 */
export async function enroll(params: EnrolParams): Promise<Enrolment> {
  const token = parseJoinToken(params.token);
  const name = parseMinionName(params.name);
  const deadline = Date.now() + params.timeoutMs;
  const failed: FailedAttempt[] = [];
  for (const address of token.addresses) {
    if (params.signal?.aborted === true) throw cancelled();
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) {
      failed.push({ address, error: new FuncError("timed-out", "no time was left to try it") });
      continue;
    }
    const at = parseHostPort(address);
    let caPem: string;
    try {
      caPem = await pinnedAuthority(at, token.caFingerprint, leftMs, params.signal);
    } catch (error) {
      if (isCancelled(error)) throw error;
      failed.push({ address, error });
      continue;
    }
    return await request({ ...params, name }, token, address, caPem, deadline - Date.now());
  }
  throw noAddressAnswered(failed);
}

/** One error for all addresses of a token, each with its cause. */
export function noAddressAnswered(failed: readonly FailedAttempt[]): FuncError {
  const causes = failed.map(({ address, error }) => `${address}: ${causeText(error)}`);
  const reasons = new Set(failed.map(({ error }) => reasonOf(error)));
  const [only] = reasons;
  return new FuncError(
    reasons.size === 1 && only !== undefined ? only : "unreachable",
    `The overlord answers at no address of the join token (${causes.join("; ")}).`,
    "Check that the overlord runs, that the token has not expired, and that a firewall lets this host reach one of these addresses; or make a token with another address.",
    { cause: failed[0]?.error },
  );
}

async function pinnedAuthority(
  { host, port }: HostPort,
  pin: string,
  leftMs: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const timeoutMs = Math.min(leftMs, CONNECT_TIMEOUT_MS);
  const chain = await fetchPresentedChain({ address: host, port, timeoutMs, signal });
  const pinned = chain.find((certificate) => certificateFingerprint(certificate) === pin);
  if (pinned === undefined) {
    throw new FuncError(
      "wrong-identity",
      "the server there does not have the CA that the token names",
    );
  }
  return certificatePem(pinned);
}

async function request(
  params: EnrolParams,
  token: JoinTokenContent,
  address: string,
  caPem: string,
  timeoutMs: number,
): Promise<Enrolment> {
  const { name, port, privateKeyPem, signal } = params;
  const client = new WireClient({
    ca: caPem,
    verifyPeer: (peer) => {
      verifyCertmaster(peer, address);
    },
  });
  const at = parseHostPort(address);
  const csr = createCsr(name, privateKeyPem);
  const enrolRequest = {
    tokenId: token.id,
    secret: token.secret,
    csr,
    name,
    port,
    address: params.address,
  };
  const progress = { sent: false };
  let answer: XmlRpcValue;
  try {
    answer = await client.call(
      { name: "certmaster", address: at.host, port: at.port },
      ENROL_METHOD,
      [encodeEnrolRequest(enrolRequest)],
      { timeoutMs: Math.max(timeoutMs, 1), signal, onSent: () => (progress.sent = true) },
    );
  } catch (error) {
    if (error instanceof RpcFault) throw errorOfFault(error, address);
    if (!progress.sent || isCancelled(error)) throw error;
    throw new FuncError(
      reasonOf(error),
      `The overlord at ${address} got the request, but its answer got lost: ${messageOf(error)}`,
      "Try again; where the token was used by then, ask for another: the name stays free for this host's key.",
      { cause: error },
    );
  } finally {
    client.close();
  }
  const { certificate, ca } = isStruct(answer) ? answer : {};
  return checkedEnrolment(certificate, { name, privateKeyPem, caPem, address }, ca);
}

function reasonOf(error: unknown): ErrorReason {
  return error instanceof FuncError ? error.reason : "unreachable";
}

function isCancelled(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "cancelled";
}

function cancelled(): FuncError {
  return new FuncError("cancelled", "Enrolling was cancelled.");
}

const CAUSES: Readonly<Partial<Record<ErrorReason, string>>> = {
  refused: "nothing listens there",
  "name-not-found": "the name was not found",
  "timed-out": "no answer in time",
};

function causeText(error: unknown): string {
  return CAUSES[reasonOf(error)] ?? messageOf(error).replace(/\.$/, "");
}
