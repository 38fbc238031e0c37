/** Types under which a sub-overlord answers while a host behind it, or its own overlord, is away or busy. */
const PASSING: ReadonlySet<string> = new Set([
  "func.unavailable",
  "func.timed-out",
  "func.unreachable",
  "func.cancelled",
]);

/** Whether the same question may have another answer later. */
export function isPassing(type: string): boolean {
  return PASSING.has(type);
}
