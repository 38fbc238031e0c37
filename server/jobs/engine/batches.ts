/** How a job's minions are called in steps. */
export interface Steps {
  /** Names of those that go first. */
  canaries?: readonly string[];
  /** How many at a time, "10", or a share of all, "10%"; at least one. Without it the rest goes in one step. */
  size?: string;
}

/**
 * The job's minions in the steps in which they are called: the canaries, then as many at a time as `size` says, in
 * the job's order. The same for the same job whenever it is asked.
 */
export function stepsOf(minions: readonly string[], { canaries = [], size }: Steps): string[][] {
  const first = new Set(canaries);
  const rest = minions.filter((name) => !first.has(name));
  const most = stepSize(size, minions.length);
  const steps = [minions.filter((name) => first.has(name))];
  for (let at = 0; at < rest.length; at += most) steps.push(rest.slice(at, at + most));
  return steps.filter((step) => step.length > 0);
}

function stepSize(size: string | undefined, total: number): number {
  if (size === undefined) return Math.max(1, total);
  const number = Number.parseInt(size, 10);
  return Math.max(1, size.endsWith("%") ? Math.floor((total * number) / 100) : number);
}
