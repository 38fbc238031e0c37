import { peerOf } from "../calls/minionCaller";
import { FuncError } from "../common/errors";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import {
  INSTALL_CERTIFICATE_METHOD,
  readRenewalRequest,
  RENEWAL_REQUEST_METHOD,
} from "../pki/enrolment/renewal";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { asRemoteError } from "../wire/remoteError";
import { RpcFault } from "../wire/rpcFault";
import type { XmlRpcValue } from "../wire/value";
import type { WireClient } from "../wire/wireClient";

/** Making a key takes a slow host a moment. */
const STEP_TIMEOUT_MS = 30_000;

export interface RenewMinionParts {
  /** Takes minions whose certificate has expired; nothing but a renewal may run over it. */
  client: WireClient;
  authority: CertificateAuthority;
  inventory: Inventory;
  /** While the CA is replaced: which of the two issues. */
  by?: "present" | "next";
}

/**
 * Gives a minion a certificate for a new key: same name, same role. From before it is sent until the minion was
 * seen with it, the old key and the new one are both accepted. Throws FuncError: "wrong-identity" where the key
 * was revoked, "denied" where the proof is wrong, "unavailable" where the minion cannot do it, or what ended the calls.
 */
export async function renewMinion(
  name: string,
  { client, authority, inventory, by }: RenewMinionParts,
): Promise<void> {
  const minion = inventory.get(name);
  const revocations = authority.revocationsOf("minion", minion.name);
  refuseRevoked(authority, minion, minion.keyFingerprint);
  const known = [minion.keyFingerprint, minion.renewing?.keyFingerprint];
  const request = readRenewalRequest(await step(client, minion, RENEWAL_REQUEST_METHOD, []), {
    name: minion.name,
    keyFingerprints: known.filter((one) => one !== undefined),
  });
  refuseRevoked(authority, minion, request.presentKeyFingerprint);
  inventory.sawKey(minion.name, request.presentKeyFingerprint);
  const { certificatePem, record } = await authority.issue({
    role: "minion",
    name: minion.name,
    publicKey: request.publicKey,
    renewal: { keyFingerprint: request.presentKeyFingerprint, revocations },
    by,
  });
  try {
    await inventory.expectCertificate(minion, {
      keyFingerprint: record.keyFingerprint,
      certificateSerial: record.serial,
      certificateNotAfterMs: record.notAfterMs,
    });
    refuseRevoked(authority, minion, record.keyFingerprint);
    const params = [certificatePem, authority.rotation.trustedPem];
    await step(client, inventory.get(name), INSTALL_CERTIFICATE_METHOD, params);
  } catch (error) {
    // a lost answer leaves it open whether the minion has it
    if (error instanceof Refused || isConflict(error)) await authority.withdraw(record);
    throw error;
  }
  refuseRevoked(authority, minion, request.keyFingerprint);
  inventory.sawKey(minion.name, request.keyFingerprint);
}

/** The minion has answered, and will not do it. */
class Refused extends FuncError {}

async function step(
  client: WireClient,
  minion: MinionRecord,
  method: string,
  params: XmlRpcValue[],
): Promise<XmlRpcValue> {
  const refused = (why: string): Refused =>
    new Refused(
      "unavailable",
      `${minion.name} does not renew its certificate: ${why}`,
      `Look at the log of funcd on ${minion.name}, and at its version.`,
    );
  try {
    const limits = { timeoutMs: STEP_TIMEOUT_MS };
    const value = await client.call(peerOf(minion), method, params, limits);
    const error = asRemoteError(value);
    if (error) throw refused(error.message);
    return value;
  } catch (error) {
    if (error instanceof RpcFault) throw refused(error.faultString);
    throw error;
  }
}

function refuseRevoked(
  authority: CertificateAuthority,
  { name }: MinionRecord,
  keyFingerprint: string,
): void {
  const revoked = authority.revocationOf(keyFingerprint);
  if (!revoked) return;
  throw new FuncError(
    "wrong-identity",
    `${name} was revoked on ${new Date(revoked.atMs).toISOString().slice(0, 10)}: its certificate is not renewed.`,
    "If the host is to come back, move the folder pki of its funcd away and enrol it again.",
  );
}

function isConflict(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "conflict";
}
