import { allWell, targetsText, type JobSummary } from "../protocol/jobs";

const MAX_CALL = 60;

/** A job in a table for people: when, how it stands, its id, what it calls, its minions' states. */
export function jobRow(job: JobSummary): string[] {
  return [
    timeText(job.createdAtMs),
    stateText(job),
    job.id,
    `${callText(job).slice(0, MAX_CALL)}${delegationText(job)}`,
    countsText(job),
  ];
}

/** How a job stands, in one word; the words that `--state` takes, and "cancelling". */
export function stateText(job: JobSummary): string {
  if (!job.finished) return job.cancelRequested ? "cancelling" : "running";
  return allWell(job) ? "finished" : "problems";
}

/** `module.method arguments` on one line, whatever the arguments hold. */
export function callText({ module, method, argsText }: JobSummary): string {
  return `${module}.${method}${argsText ? ` ${argsText}` : ""}`.replace(/\s+/g, " ");
}

/** Whether it goes on below, or comes from above. */
function delegationText({ delegate, originator }: JobSummary): string {
  if (originator !== undefined) return ` (for ${originator})`;
  return delegate ? " (delegated)" : "";
}

/** `3 succeeded, 1 with exit status not 0, 1 failed`. */
export function countsText({ counts, failedCommands = 0 }: JobSummary): string {
  return Object.entries(counts)
    .flatMap(([name, count]): [string, number][] =>
      name === "succeeded"
        ? [
            [name, count - failedCommands],
            ["with exit status not 0", failedCommands],
          ]
        : [[name, count]],
    )
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

/** What there is to say about a job as a whole; lines that end with a newline. */
export function jobHeading(job: JobSummary): string {
  const { batch, maxErrors, attempts, startedBy, originator, finishedAtMs, createdAtMs } = job;
  const kinds = [...(job.async ? ["async"] : []), ...(job.delegate ? ["delegated"] : [])];
  const by = [startedBy, originator && `for ${originator}`].filter((part) => part).join(" ");
  const steps = [
    batch?.canary === undefined ? [] : [`first ${batch.canary}`],
    batch?.size === undefined ? [] : [`${batch.size} at a time`],
    maxErrors === undefined ? [] : [`until more than ${maxErrors} have failed`],
  ].flat();
  const ended = finishedAtMs === undefined ? "" : `, ended ${timeText(finishedAtMs)}`;
  const lines = [
    ["job", job.id],
    ["call", `${callText(job)}${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`],
    ...(job.mapFile === undefined ? [] : [["map", job.mapFile]]),
    ["minions", `${job.total} of ${targetsText(job)}`],
    ...(steps.length > 0 ? [["steps", steps.join(", ")]] : []),
    ["began", `${timeText(createdAtMs)}${by === "" ? "" : ` by ${by}`}${ended}`],
    ["state", `${stateText(job)}: ${countsText(job)}`],
    ...(attempts === undefined || attempts < 2 ? [] : [["attempts", String(attempts)]]),
  ];
  return lines.map(([name = "", text = ""]) => `${`${name}:`.padEnd(10)}${text}\n`).join("");
}

/** In UTC, to the second. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
