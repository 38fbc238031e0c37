import { commands, l10n, ProgressLocation, window, type Uri } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { JobSummary } from "../../server/protocol/jobs";
import { signalOf } from "../cancellation";
import { dateText } from "../dateText";
import type { Services } from "../services";
import { pickJob } from "./jobPick";
import { chosenJob, chosenJobIds, findJob } from "./jobSelection";

/** Shows the results of two runs of one method side by side, minion by minion. */
export async function compareRuns(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  const pair = await chosenPair(services, item, items);
  if (!pair) return;
  const [left, right] = pair.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  if (!left || !right) return;
  const uris = await read(services, left, right);
  if (!uris) return;
  const title = l10n.t(
    "{0}: {1} ↔ {2}",
    `${left.module}.${left.method}`,
    dateText(left.createdAtMs),
    dateText(right.createdAtMs),
  );
  await commands.executeCommand("vscode.diff", ...uris, title, { preview: true });
}

/** Two that are selected, or the chosen one and another run of its method. Throws FuncError. */
async function chosenPair(
  services: Services,
  item: unknown,
  items: unknown,
): Promise<JobSummary[] | undefined> {
  const ids = chosenJobIds(item, items);
  if (ids.length > 1) {
    const jobs = await Promise.all(ids.map((id) => findJob(services, id)));
    const calls = new Set(jobs.map(({ module, method }) => `${module}.${method}`));
    if (jobs.length === 2 && calls.size === 1) return jobs;
    throw new FuncError("bad-argument", l10n.t("Select two runs of the same method."));
  }
  const job = await chosenJob(services, item, { title: l10n.t("Compare Two Runs") });
  if (!job) return undefined;
  const { id, module, method } = job;
  const other = await pickJob(services, {
    title: l10n.t("Compare with Which Run of {0}?", `${module}.${method}`),
    query: { module, method },
    offered: (offered) =>
      offered.id !== id && offered.module === module && offered.method === method,
  });
  return other && [job, other];
}

/** Undefined where the user cancelled it. */
async function read(
  { runFiles }: Services,
  left: JobSummary,
  right: JobSummary,
): Promise<Uri[] | undefined> {
  const total = left.total + right.total;
  let done = 0;
  return window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: l10n.t("Reading the results of two runs"),
      cancellable: true,
    },
    async (progress, token) => {
      const signal = signalOf(token);
      const report = (): void => {
        done++;
        if (done % 100 !== 0) return;
        progress.report({ message: l10n.t("{0} of {1}", done, total), increment: 10_000 / total });
      };
      try {
        return [
          await runFiles.prepare(left, signal, report),
          await runFiles.prepare(right, signal, report),
        ];
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    },
  );
}
