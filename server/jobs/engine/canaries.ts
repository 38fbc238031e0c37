import { FuncError } from "../../common/errors";
import type { BatchPlan } from "../../protocol/jobs";

/**
 * The names of the job's minions that go first; undefined where none do. Throws FuncError "bad-argument" where the
 * expression means none of them, and what `find` throws.
 */
export async function findCanaries(
  batch: BatchPlan | undefined,
  minions: readonly string[],
  /** The names that an expression means. */
  find: (spec: string) => Promise<readonly string[]>,
): Promise<string[] | undefined> {
  if (batch?.canary === undefined) return undefined;
  const names = new Set(await find(batch.canary));
  const canaries = minions.filter((name) => names.has(name));
  if (canaries.length > 0) return canaries;
  throw new FuncError(
    "bad-argument",
    `"${batch.canary.slice(0, 200)}" means none of the job's minions, so none of them can go first.`,
    "Name some of those that are called.",
  );
}
