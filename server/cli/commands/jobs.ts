import { followJob } from "../../client/followJob";
import type { JobSummary } from "../../protocol/jobs";
import { EXIT_OK } from "../exitStatus";
import { renderTable } from "../render";
import type { Session } from "../session";
import { runJob } from "./runJob";

/** `func jobs list`: newest first. */
export async function jobsList(session: Session): Promise<number> {
  const connection = await session.connect();
  const { jobs } = await connection.request("jobs/list", {});
  const sorted = jobs
    .filter(({ background }) => !background)
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
  session.out.result(
    session.options.json ? `${JSON.stringify(sorted)}\n` : renderTable(sorted.map(row)),
  );
  if (sorted.length === 0) session.out.note("No jobs yet.\n");
  return EXIT_OK;
}

/** `func jobs watch ID`: results so far and those to come. */
export async function jobsWatch(session: Session, jobId: string): Promise<number> {
  const connection = await session.connect();
  return runJob(session, connection, (following) => followJob(session.overlord, jobId, following), {
    followed: "watched job",
  });
}

/** `func jobs cancel ID`. */
export async function jobsCancel(session: Session, jobId: string): Promise<number> {
  const connection = await session.connect();
  const summary = await connection.request("jobs/cancel", { jobId });
  session.out.result(
    session.options.json ? `${JSON.stringify(summary)}\n` : renderTable([row(summary)]),
  );
  return EXIT_OK;
}

function row(job: JobSummary): string[] {
  const state = job.finished ? "finished" : job.cancelRequested ? "cancelling" : "running";
  const counts = Object.entries(job.counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  const call = `${job.module}.${job.method}${job.argsText ? ` ${job.argsText}` : ""}`;
  return [
    new Date(job.createdAtMs).toISOString().slice(0, 19).replace("T", " "),
    state,
    job.id,
    // one line a job, whatever its arguments hold
    call.replace(/\s+/g, " ").slice(0, 60),
    counts.join(", "),
  ];
}
