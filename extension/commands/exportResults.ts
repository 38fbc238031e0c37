import { l10n } from "vscode";
import { exportJob } from "../lazyCommands";
import type { Services } from "../services";
import { chosenJob } from "./jobSelection";

/** Writes the results of the chosen job, of those in front, or of a job that it asks for, to a file. */
export async function exportResults(services: Services, item?: unknown): Promise<void> {
  const job = await chosenJob(services, item, { title: l10n.t("Export Results") });
  if (job) await exportJob(services, job);
}
