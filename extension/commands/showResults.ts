import { l10n } from "vscode";
import type { Services } from "../services";
import { pickJob } from "./jobPick";

/** Opens the results of one of the overlord's recent jobs, of this and of other windows. */
export async function showResults(services: Services): Promise<void> {
  const jobId = await pickJob(services, l10n.t("Show Results"), () => true);
  if (jobId !== undefined) services.results.show(jobId);
}
