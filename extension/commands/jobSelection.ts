import { l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { JobQuery, JobSummary } from "../../server/protocol/jobs";
import type { Services } from "../services";
import { isJobNode } from "../views/jobNode";
import { readJobs } from "../views/readJobs";
import { pickJob } from "./jobPick";

/** Which jobs a command can be about. */
export interface WantedJobs {
  /** Of the question. */
  title: string;
  query?: JobQuery;
  offered?: (job: JobSummary) => boolean;
}

/** Ids of the jobs that were chosen in the view (the selection where the clicked one is in it), or of `{jobId}`. */
export function chosenJobIds(item: unknown, items: unknown): string[] {
  const nodes = Array.isArray(items) && items.length > 0 ? (items as unknown[]) : [item];
  return nodes.flatMap((node) => {
    if (isJobNode(node)) return node.kind === "job" ? [node.id] : [];
    const given = typeof node === "object" && node !== null && "jobId" in node ? node.jobId : "";
    return typeof given === "string" && given !== "" ? [given] : [];
  });
}

/**
 * The job that a command is about: the chosen one, else the one of the results in front, else one that it
 * asks for. Undefined where the user gave up. Throws FuncError.
 */
export async function chosenJob(
  services: Services,
  item: unknown,
  wanted: WantedJobs,
): Promise<JobSummary | undefined> {
  const [id] = chosenJobIds(item, undefined);
  if (id !== undefined) return findJob(services, id);
  const active = services.results.activeJob?.state?.summary;
  if (active && (wanted.offered?.(active) ?? true)) return active;
  return pickJob(services, wanted);
}

/** The jobs that a command is about, as `chosenJob` has it. Throws FuncError. */
export async function chosenJobs(
  services: Services,
  item: unknown,
  items: unknown,
  wanted: WantedJobs,
): Promise<readonly JobSummary[]> {
  const ids = chosenJobIds(item, items);
  if (ids.length === 0) {
    const job = await chosenJob(services, undefined, wanted);
    return job ? [job] : [];
  }
  const jobs = await Promise.all(ids.map((id) => findJob(services, id)));
  return jobs.filter((job) => wanted.offered?.(job) ?? true);
}

/** The job as it stands, wherever it is known. Throws FuncError "not-found". */
export async function findJob(
  { session, jobList, results }: Services,
  id: string,
): Promise<JobSummary> {
  const known = jobList.get(id) ?? results.find(id)?.job.state?.summary;
  if (known) return known;
  const { jobs } = await readJobs(session, { text: id }, 10);
  const found = jobs.find((job) => job.id === id);
  if (found) return found;
  throw new FuncError(
    "not-found",
    l10n.t("The overlord has no job {0}: it was deleted, or is older than what is kept.", id),
  );
}
