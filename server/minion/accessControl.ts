import type { X509Certificate } from "node:crypto";
import { FuncError } from "../common/errors";
import { identityOf } from "../pki/identity";
import type { Caller } from "./minionModule";

/** The roles whose certificates may call methods. Everything else is denied. */
const CALLING_ROLES: ReadonlySet<string> = new Set(["overlord", "operator"]);

/**
 * The caller that a connection's certificate stands for.
 * Throws FuncError "denied" where it is no caller: no certificate, no identity in it, another role,
 * or a date outside its life.
 */
export function callerOf(certificate: X509Certificate | undefined, address: string): Caller {
  if (!certificate) throw new FuncError("denied", `${address} shows no certificate`);
  const identity = identityOf(certificate);
  if (!identity) {
    throw new FuncError("denied", `the certificate of ${address} names no role and name`);
  }
  if (!CALLING_ROLES.has(identity.role)) {
    throw new FuncError(
      "denied",
      `${identity.role} ${identity.name} (${address}) may not call methods`,
    );
  }
  const now = Date.now();
  if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) {
    throw new FuncError(
      "denied",
      `the certificate of ${identity.role} ${identity.name} (${address}) is valid from ${certificate.validFrom} to ${certificate.validTo} only`,
    );
  }
  return { ...identity, address };
}

/**
 * The one place that decides who may call what, for sync and async calls alike. `method` is the name
 * without "async.". Deny is the default: an unknown role never gets here, and would be refused.
 */
export function mayCall(caller: Caller, method: string): boolean {
  return method !== "" && CALLING_ROLES.has(caller.role);
}
