import { l10n } from "vscode";
import type { Services } from "../services";
import { pickJob } from "./jobPick";

/** Opens the results of one of the overlord's recent jobs, of this and of other windows. */
export async function showResults(services: Services): Promise<void> {
  const job = await pickJob(services, { title: l10n.t("Show Results") });
  if (job) services.results.show(job.id);
}
