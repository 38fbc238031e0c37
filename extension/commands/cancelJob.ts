import { l10n } from "vscode";
import { requireTrust } from "../calls";
import type { Services } from "../services";
import { pickJob } from "./jobPick";

/** Cancels the job of the results in front, or a running one that it asks for. */
export async function cancelJob(services: Services): Promise<void> {
  requireTrust();
  const active = services.results.activeJob;
  const jobId =
    active?.state?.summary.finished === false
      ? active.jobId
      : await pickJob(services, l10n.t("Cancel Job"), ({ finished }) => !finished);
  if (jobId !== undefined) await services.session.request("jobs/cancel", { jobId });
}
