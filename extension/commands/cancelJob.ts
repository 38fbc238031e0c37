import { l10n } from "vscode";
import { requireTrust } from "../calls";
import type { Services } from "../services";
import { chosenJobs } from "./jobSelection";

/** Cancels the chosen jobs, the one of the results in front, or a running one that it asks for. */
export async function cancelJob(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const jobs = await chosenJobs(services, item, items, {
    title: l10n.t("Cancel Job"),
    query: { state: "running" },
    offered: ({ finished }) => !finished,
  });
  await Promise.all(jobs.map(({ id }) => services.session.request("jobs/cancel", { jobId: id })));
}
