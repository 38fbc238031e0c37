import type { Services } from "../services";
import { hostPath } from "./selection";

/** Opens the delegation map. */
export function showMap({ delegationMap }: Services): Promise<void> {
  return delegationMap.show();
}

/** Shows through whom a call to the chosen host goes. */
export function showCallPath({ delegationMap }: Services, item?: unknown): Promise<void> {
  return delegationMap.show(hostPath(item));
}

/** Opens the results of the last job that had the chosen host. */
export async function openHostResults({ delegationMap }: Services, item?: unknown): Promise<void> {
  const path = hostPath(item);
  if (path) await delegationMap.act("openResults", path);
}

export async function copyHostName({ delegationMap }: Services, item?: unknown): Promise<void> {
  const path = hostPath(item);
  if (path) await delegationMap.act("copyName", path);
}
