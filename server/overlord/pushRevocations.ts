import { FuncError, messageOf } from "../common/errors";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import type { SignedRevocationList } from "../pki/documents/revocationList";
import { asRemoteError } from "../wire/remoteError";
import { RpcFault } from "../wire/rpcFault";
import type { XmlRpcValue } from "../wire/value";
import type { WireClient, WirePeer } from "../wire/wireClient";

const TIMEOUT_MS = 10_000;

/** The minion can be reached, but has not got the list. */
export class ListNotTaken extends Error {}

/** Nor will it ever: it is no funcd of ours. */
export class KnowsNoList extends ListNotTaken {}

export interface PushTarget {
  wire: WireClient;
  peer: WirePeer;
  connectTimeoutMs: number;
}

/**
 * What one minion has, compared with the present list of the CA: "same" (and it has kept it), "other", or "more"
 * where the CA learned from it what it did not know, so that there is a newer list now. Throws as `pushRevocations`.
 */
export async function compareRevocations(
  { wire, peer, connectTimeoutMs }: PushTarget,
  authority: CertificateAuthority,
): Promise<"same" | "other" | "more"> {
  const ask = (method: string): Promise<XmlRpcValue> =>
    askNative(wire, peer, method, [], connectTimeoutMs);
  const status = await ask("trust.status");
  if (!isStatus(status)) throw new ListNotTaken("its answer to trust.status means nothing");
  const { number, digest, kept } = status;
  if (number === 0) return authority.revocationNumber === 0 ? "same" : "other";
  if (number === authority.revocationNumber && digest === authority.revocationState.digest) {
    return kept === true ? "same" : "other";
  }
  const theirs = await ask("trust.revocations");
  if (typeof theirs !== "string" || theirs === "") return "other";
  try {
    return (await authority.adoptRevocations(theirs)) ? "more" : "other";
  } catch (error) {
    throw new ListNotTaken(`its list cannot be taken over: ${messageOf(error)}`);
  }
}

function isStatus(value: XmlRpcValue): value is { [key: string]: XmlRpcValue } {
  return typeof value === "object" && value !== null && "number" in value && "digest" in value;
}

/**
 * Sends the list to one minion. Where that has a newer one of our own CA, or another (this overlord's data come
 * from a backup), the CA takes over what that revokes, and false is given: there is a newer list to send. Throws
 * ListNotTaken, or the FuncError of a minion that cannot be reached.
 */
export async function pushRevocations(
  { wire, peer, connectTimeoutMs }: PushTarget,
  { number, document }: SignedRevocationList,
  authority: CertificateAuthority,
): Promise<boolean> {
  const ask = (method: string, params: XmlRpcValue[]): Promise<XmlRpcValue> =>
    askNative(wire, peer, method, params, connectTimeoutMs);
  const answer = await ask("trust.set_revocations", [document]);
  if (answer === number) return true;
  const refusal = asRemoteError(answer)?.message ?? "its answer means nothing";
  const theirs = await ask("trust.revocations", []);
  if (typeof theirs !== "string" || theirs === "") throw new ListNotTaken(refusal);
  const adopted = await authority.adoptRevocations(theirs).catch((error: unknown) => {
    throw new ListNotTaken(`${refusal}; its own list: ${messageOf(error)}`);
  });
  if (!adopted) throw new ListNotTaken(refusal);
  return false;
}

/**
 * Tells one minion which CAs to trust: `document` is that list, and `number` its number. Throws ListNotTaken, or
 * the FuncError of a minion that cannot be reached.
 */
export async function pushAuthorities(
  { wire, peer, connectTimeoutMs }: PushTarget,
  { number, document }: { number: number; document: string },
): Promise<void> {
  const method = "trust.set_authorities";
  const answer = await askNative(wire, peer, method, [document], connectTimeoutMs);
  if (answer === number) return;
  throw new ListNotTaken(asRemoteError(answer)?.message ?? "its answer means nothing");
}

async function askNative(
  wire: WireClient,
  peer: WirePeer,
  method: string,
  params: XmlRpcValue[],
  connectTimeoutMs: number,
): Promise<XmlRpcValue> {
  const request = { sent: false };
  try {
    return await wire.call(peer, method, params, {
      timeoutMs: Math.max(TIMEOUT_MS, connectTimeoutMs),
      connectTimeoutMs,
      beforeSending: () => {
        if (wire.isNative(peer) === true) return undefined;
        throw new KnowsNoList("it runs the original funcd, which knows no revocation list");
      },
      onSent: () => {
        request.sent = true;
      },
    });
  } catch (error) {
    const isAway = error instanceof FuncError && !request.sent;
    if (isAway || error instanceof ListNotTaken) throw error;
    if (error instanceof RpcFault) throw new ListNotTaken(error.faultString);
    throw new ListNotTaken(messageOf(error));
  }
}
