import { FuncError } from "../common/errors";
import { fingerprintWords } from "../pki/certificates/fingerprintWords";
import { signRequest } from "../pki/authority/signing";
import type { AuthorityKey } from "../pki/authority/authorityKey";
import type { AuthorityRotation } from "../pki/authority/authorityRotation";
import type {
  CertificateRecord,
  CertmasterList,
  SignedCertificate,
  SignParams,
} from "../protocol/certmaster";
import type { OverlordRequests } from "../protocol/requests";
import { parseAddress } from "../targets/inventory";
import { acceptRequest, inspectRequest } from "./accepting";
import { admitMinion } from "./admitMinion";
import { expiryWarnings } from "./expiryWarnings";
import { renewRequest } from "./renewRequest";
import { crlRequest, revokeRequest } from "./revoking";
import type { Handlers, OverlordParts } from "./service";
import { revokeTriggered, signTriggered } from "./triggered";

/** Where a minion listens unless it is told otherwise. */
const DEFAULT_MINION_PORT = 51_234;

type CertmasterRequest = Extract<keyof OverlordRequests, `certmaster/${string}`>;

/** What answers the requests about certificates. */
export function certmasterHandlers(parts: OverlordParts): Pick<Handlers, CertmasterRequest> {
  const { certmaster } = parts;
  return {
    "certmaster/createToken": (params) => certmaster.createToken(params),
    "certmaster/list": () => listOf(parts),
    "certmaster/closeToken": ({ id }) => {
      certmaster.closeToken(id);
      return listOf(parts);
    },
    "certmaster/setApproval": async ({ forMs }) => {
      await certmaster.setApproval(forMs);
      return listOf(parts);
    },
    "certmaster/approve": async ({ name, keyFingerprint }) => {
      await certmaster.approve(name, keyFingerprint);
      return listOf(parts);
    },
    "certmaster/deny": ({ name, keyFingerprint }) => {
      certmaster.deny(name, keyFingerprint);
      return listOf(parts);
    },
    "certmaster/sign": async (params) => {
      const signed = await signTriggered(parts.triggers, params, () => sign(parts, params));
      parts.certmasterChanged();
      return signed;
    },
    "certmaster/admit": (params, _feed, signal) => admitMinion(parts, params, signal),
    "certmaster/renew": (params, _feed, signal) => renewRequest(parts, params, signal),
    "certmaster/setPassphrase": async ({ old = "", next }) => {
      // later it may be locked, and an overlord without a certificate cannot call anybody
      if (!lockOf(parts).isLocked) await parts.credentials.renewOwn();
      await rotationOf(parts).setPassphrase(old, next);
      return unlocked(parts);
    },
    "certmaster/unlock": async ({ passphrase }) => {
      await rotationOf(parts).unlock(passphrase);
      await parts.credentials.renewOwn().catch(() => undefined); // the next call tells
      return unlocked(parts);
    },
    "certmaster/importAuthority": async (params) => {
      await parts.credentials.importAuthority(params);
      await parts.credentials.renewOwn().catch(() => undefined); // the next call tells
      parts.certmasterChanged();
      return listOf(parts);
    },
    "certmaster/inspect": (params, _feed, signal) => inspectRequest(parts, params, signal),
    "certmaster/accept": (params, _feed, signal) => acceptRequest(parts, params, signal),
    "certmaster/revoke": (params) =>
      revokeTriggered(parts, params, () => revokeRequest(parts, params)),
    "certmaster/rotate": async (params) => {
      await parts.rotation.run(params);
      return listOf(parts);
    },
    "certmaster/crl": () => crlRequest(parts),
  };
}

function lockOf(parts: OverlordParts): AuthorityKey {
  return rotationOf(parts).present.key;
}

function rotationOf({ credentials }: OverlordParts): AuthorityRotation {
  const authority = credentials.existingAuthority();
  if (authority) return authority.rotation;
  throw new FuncError("not-found", "There is no CA yet: the first join token makes it.");
}

/** What waited for the key goes on. */
function unlocked(parts: OverlordParts): CertmasterList {
  parts.certmasterChanged();
  void parts.renewals.look();
  parts.rotation.resume();
  return listOf(parts);
}

function listOf(parts: OverlordParts): CertmasterList {
  const { certmaster, credentials, inventory } = parts;
  const rotation = parts.rotation.status();
  const authority = credentials.existingAuthority();
  return {
    caFingerprint: authority?.fingerprint,
    caWords: authority && fingerprintWords(authority.fingerprint),
    caNotAfterMs: authority?.notAfterMs,
    caState: authority ? (authority.lock.isLocked ? "locked" : "ready") : "none",
    ...(authority?.lock.isEncrypted && { caEncrypted: true as const }),
    warnings: expiryWarnings(authority, inventory.list()),
    ...(rotation && { rotation }),
    certificates: certificatesOf(parts),
    tokens: certmaster.tokens(),
    waiting: certmaster.waiting(),
    modes: certmaster.modes(),
    revocationNumber: authority?.revocationNumber ?? 0,
  };
}

/** With what keeps those of minions from being renewed. */
function certificatesOf({ credentials, inventory, renewals }: OverlordParts): CertificateRecord[] {
  const failures = new Map(
    inventory.list().map((minion) => [minion.certificateSerial, renewals.failureOf(minion)]),
  );
  return (credentials.existingAuthority()?.list() ?? []).map((record) => {
    const renewalFailed = failures.get(record.serial);
    return renewalFailed ? { ...record, renewalFailed } : record;
  });
}

async function sign(parts: OverlordParts, params: SignParams): Promise<SignedCertificate> {
  const { role = "minion", address, port, ...request } = params;
  if (address !== undefined && role !== "minion") {
    throw new FuncError("bad-argument", "Only a minion has an address.");
  }
  // before anything is signed: a wrong address would leave a certificate that nobody asked for
  const reachedAt = address === undefined ? undefined : parseAddress(address);
  const authority = await parts.credentials.authority();
  const signed = await signRequest(authority, { ...request, role });
  if (reachedAt === undefined) return signed;
  try {
    const { name } = signed.record;
    const place = { name, address: reachedAt, port: port ?? DEFAULT_MINION_PORT };
    await parts.addMinion({ ...place, record: signed.record });
  } catch (error) {
    await authority.withdraw(signed.record);
    throw error;
  }
  return signed;
}
