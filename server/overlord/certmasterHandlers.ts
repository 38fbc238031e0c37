import { FuncError } from "../common/errors";
import { signRequest } from "../pki/signing";
import type { CertmasterList, SignedCertificate, SignParams } from "../protocol/certmaster";
import type { OverlordRequests } from "../protocol/requests";
import { parseAddress } from "../targets/inventory";
import type { Handlers, OverlordParts } from "./service";

/** Where a minion listens unless it is told otherwise. */
const DEFAULT_MINION_PORT = 51_234;

type CertmasterRequest = Extract<keyof OverlordRequests, `certmaster/${string}`>;

/** What answers the requests about certificates. */
export function certmasterHandlers(parts: OverlordParts): Pick<Handlers, CertmasterRequest> {
  const { certmaster } = parts;
  const notYet = (): never => {
    throw new FuncError("unavailable", "This overlord cannot do that yet.");
  };
  return {
    "certmaster/createToken": (params) => certmaster.createToken(params),
    "certmaster/list": () => listOf(parts),
    "certmaster/closeToken": notYet,
    "certmaster/setApproval": notYet,
    "certmaster/approve": notYet,
    "certmaster/deny": notYet,
    "certmaster/sign": (params) => sign(parts, params),
    "certmaster/revoke": notYet,
    "certmaster/crl": notYet,
  };
}

function listOf({ certmaster, credentials }: OverlordParts): CertmasterList {
  const authority = credentials.existingAuthority();
  return {
    caFingerprint: authority?.fingerprint,
    caState: authority ? "ready" : "none",
    certificates: authority?.list() ?? [],
    tokens: certmaster.tokens(),
    waiting: [],
    modes: {},
    revocationNumber: 0,
  };
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
