import type { JobView } from "./jobView";
import { minionGlob } from "./minionGlob";
import type { JobStore } from "./store/storeTypes";

/** Tests the names of a job's minions by `minionGlob`, where it has to by their paths. Throws as the store does. */
export async function namedMinions(
  glob: string,
  { id }: Pick<JobView, "id">,
  store: Pick<JobStore, "record">,
): Promise<(name: string) => boolean> {
  const { means, mayMean, needsPath } = minionGlob(glob);
  if (!needsPath) return mayMean;
  const { minions = [] } = (await store.record(id)) ?? {};
  const meant = new Set(minions.filter(means).map(({ name }) => name));
  return (name) => meant.has(name);
}
