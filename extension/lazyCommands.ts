import { workspace, type Disposable, type TextDocument } from "vscode";
import type { JobSummary } from "../server/protocol/jobs";
import type { Services } from "./services";

/** Loads what belongs to map files once the first one is open. */
export function whenMapFileOpens(services: Services): Disposable {
  const look = ({ languageId }: TextDocument): void => {
    if (languageId !== "func-map") return;
    void import("./mapFiles.js").then((loaded) => {
      loaded.watchMapFiles(services);
    });
  };
  workspace.textDocuments.forEach(look);
  return workspace.onDidOpenTextDocument(look);
}

/** As copyDiagnostics.ts, whose code is loaded when it is first wanted. */
export async function copyDiagnostics(services: Services): Promise<void> {
  const loaded = await import("./copyDiagnostics.js");
  await loaded.copyDiagnostics(services);
}

/** As mapFiles.ts. */
export async function buildMap(services: Services): Promise<void> {
  const loaded = await import("./mapFiles.js");
  await loaded.buildMap(services);
}

/** As mapFiles.ts. */
export async function openMapFile(services: Services): Promise<void> {
  const loaded = await import("./mapFiles.js");
  await loaded.openMapFile(services);
}

/** As searchJobs.ts. */
export async function searchJobs(services: Services): Promise<void> {
  const loaded = await import("./searchJobs.js");
  await loaded.searchJobs(services);
}

/** As exportJob.ts. */
export async function exportJob(
  services: Services,
  job: JobSummary,
  minions?: readonly string[],
): Promise<void> {
  const loaded = await import("./exportJob.js");
  await loaded.exportJob(services, job, minions);
}
