import { FuncError } from "../common/errors";
import type { CertmasterList } from "../protocol/certmaster";
import type { OverlordRequests } from "../protocol/requests";
import type { Handlers, OverlordParts } from "./service";

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
    "certmaster/sign": notYet,
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
