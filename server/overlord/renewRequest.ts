import { fanOut } from "../calls/fanOut";
import { messageOf } from "../common/errors";
import type { RenewParams, RenewResult } from "../protocol/certmaster";
import { findTargets } from "../targets/findTargets";
import type { OverlordParts } from "./service";

const AT_ONCE = 16;

/** `certmaster/renew`: renews those that `spec` names, else those that are due. */
export async function renewRequest(
  { inventory, groups, renewals }: OverlordParts,
  { spec }: RenewParams,
  signal: AbortSignal,
): Promise<RenewResult> {
  const minions =
    spec === undefined ? renewals.due() : await findTargets({ spec }, inventory, groups);
  const renewed: RenewResult["renewed"] = [];
  const failed: RenewResult["failed"] = [];
  await fanOut({
    items: minions,
    nforks: AT_ONCE,
    signal,
    run: async ({ name }) => {
      try {
        await renewals.renew(name);
        const notAfterMs = inventory.get(name).certificateNotAfterMs;
        renewed.push({ name, notAfterMs });
      } catch (error) {
        failed.push({ name, problem: messageOf(error) });
      }
    },
    skip: ({ name }) => void failed.push({ name, problem: "Cancelled before its turn." }),
  });
  return { renewed, failed };
}
