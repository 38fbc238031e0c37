import { readCsr } from "../pki/certificates/csr";
import type { Triggers } from "../pki/certmaster/triggers";
import type {
  RevokeParams,
  RevokeResult,
  SignedCertificate,
  SignParams,
} from "../protocol/certmaster";
import type { OverlordParts } from "./service";

/** `task` between the operator's triggers for signing. Throws FuncError "denied" where one of them refuses. */
export async function signTriggered(
  triggers: Triggers,
  { csr, role = "minion" }: SignParams,
  task: () => Promise<SignedCertificate>,
): Promise<SignedCertificate> {
  if (role !== "minion") return await task();
  const { name } = readCsr(csr);
  await triggers.before("sign", name);
  const signed = await task();
  void triggers.after("sign", name);
  return signed;
}

/** `task` between the operator's triggers for the removal of these minions. Throws as `signTriggered`. */
export async function removeTriggered<T>(
  triggers: Triggers,
  names: readonly string[],
  task: () => Promise<T>,
): Promise<T> {
  for (const name of names) await triggers.before("remove", name);
  const result = await task();
  void (async () => {
    for (const name of names) await triggers.after("remove", name);
  })();
  return result;
}

/** Revokes; the triggers are for minions only. */
export async function revokeTriggered(
  parts: OverlordParts,
  params: RevokeParams,
  task: () => Promise<RevokeResult>,
): Promise<RevokeResult> {
  const selected = parts.credentials.existingAuthority()?.selectedBy(params) ?? [];
  const minions = selected.filter(({ role }) => role === "minion").map(({ name }) => name);
  return await removeTriggered(parts.triggers, [...new Set(minions)], task);
}
