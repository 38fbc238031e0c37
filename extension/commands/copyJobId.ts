import { env, l10n } from "vscode";
import type { Services } from "../services";
import { chosenJobs } from "./jobSelection";

/** Copies the ids of the chosen jobs, one on each line: what `func jobs` takes. */
export async function copyJobId(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  const jobs = await chosenJobs(services, item, items, { title: l10n.t("Copy Job ID") });
  if (jobs.length > 0) await env.clipboard.writeText(jobs.map(({ id }) => id).join("\n"));
}
