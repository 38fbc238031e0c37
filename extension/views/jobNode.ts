/**
 * One row of the view "Jobs". What it stands for is in its fields alone: commands look it up in the model,
 * or ask the overlord, and say so where it is gone.
 */
export type JobNode =
  /** The jobs that run. */
  | { kind: "running" }
  /** The finished ones of a day, "2026-01-31" in local time. */
  | { kind: "day"; day: string }
  | { kind: "job"; id: string }
  /** Loads more of them. */
  | { kind: "older" };

const KINDS: ReadonlySet<unknown> = new Set<JobNode["kind"]>(["running", "day", "job", "older"]);

/** Whether a command was called on a row of this view. */
export function isJobNode(value: unknown): value is JobNode {
  return typeof value === "object" && value !== null && "kind" in value && KINDS.has(value.kind);
}

/** Differs between any two rows; the same for the same row before and after a change. */
export function jobNodeKey(node: JobNode): string {
  switch (node.kind) {
    case "day":
      return `day/${node.day}`;
    case "job":
      return `job/${node.id}`;
    case "running":
    case "older":
      return node.kind;
  }
}
