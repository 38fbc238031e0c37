import { homedir } from "node:os";
import {
  commands,
  l10n,
  ProgressLocation,
  Uri,
  window,
  workspace,
  type Progress,
  type QuickPickItem,
} from "vscode";
import type { JobSummary, MinionResult } from "../server/protocol/jobs";
import { signalOf } from "./cancellation";
import { exportText, type ExportFormat } from "./export/exportFormats";
import { readAllResults, readResults } from "./export/readResults";
import { writeTarget } from "./export/writeTarget";
import type { Services } from "./services";
import { isCommand } from "./webviews/detailReader";

type FormatItem = QuickPickItem & { format: ExportFormat; extension: string };

/** Writes these minions' whole results, or all of the job, to a file that the user chooses. Throws FuncError. */
export async function exportJob(
  services: Services,
  job: JobSummary,
  minions?: readonly string[],
): Promise<void> {
  const count = minions?.length ?? job.total;
  const title =
    count === 1
      ? l10n.t("Export the Result of 1 Minion")
      : l10n.t("Export the Results of {0} Minions", count);
  const chosen = await window.showQuickPick(formats(), { title, ignoreFocusOut: true });
  if (!chosen) return;
  const target = await window.showSaveDialog({
    title,
    defaultUri: Uri.joinPath(defaultFolder(), fileName(job, chosen.extension)),
    filters: { [chosen.label]: [chosen.extension] },
  });
  if (!target) return;
  const done = await window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const signal = signalOf(token);
      const results = minions
        ? readResults(services.session, job.id, minions, signal)
        : readAllResults(services.session, job, signal);
      const texts = exportText(chosen.format, counted(results, count, progress), {
        reader: services.session,
        isCommand: isCommand(job),
        signal,
      });
      return writeTarget(target, texts, signal);
    },
  );
  if (done) void offerToOpen(target);
}

function formats(): FormatItem[] {
  return [
    {
      label: "JSON",
      detail: l10n.t("Everything, for programs"),
      format: "json",
      extension: "json",
    },
    { label: "CSV", detail: l10n.t("One line per minion"), format: "csv", extension: "csv" },
    { label: l10n.t("Text"), detail: l10n.t("To be read"), format: "text", extension: "txt" },
  ];
}

function defaultFolder(): Uri {
  return workspace.workspaceFolders?.[0]?.uri ?? Uri.file(homedir());
}

/** "command.run-20260131-140211.json" */
function fileName({ module, method, createdAtMs }: JobSummary, extension: string): string {
  const at = new Date(createdAtMs);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  const time = `${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
  return `${module}.${method}-${day}-${time}.${extension}`;
}

async function* counted(
  results: AsyncIterable<MinionResult>,
  total: number,
  progress: Progress<{ message: string; increment: number }>,
): AsyncGenerator<MinionResult, void, undefined> {
  // more than a hundred steps nobody sees
  const step = Math.max(1, Math.floor(total / 100));
  let count = 0;
  for await (const result of results) {
    yield result;
    count++;
    if (count % step !== 0) continue;
    progress.report({
      message: l10n.t("{0} of {1}", count, total),
      increment: (100 * step) / total,
    });
  }
}

async function offerToOpen(target: Uri): Promise<void> {
  const open = l10n.t("Open");
  const chosen = await window.showInformationMessage(
    l10n.t("The results were written to {0}.", target.fsPath),
    open,
  );
  if (chosen === open) await commands.executeCommand("vscode.open", target);
}
