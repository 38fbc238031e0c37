import { l10n, ThemeIcon, window } from "vscode";
import { FollowTerminal } from "../jobs/followTerminal";
import type { Services } from "../services";
import { chosenJob } from "./jobSelection";

/** Shows what a running job's commands write in a terminal of its own. */
export async function followOutput(services: Services, item?: unknown): Promise<void> {
  const job = await chosenJob(services, item, {
    title: l10n.t("Follow Output"),
    query: { state: "running" },
    offered: ({ async, finished }) => async && !finished,
  });
  if (!job) return;
  const name = l10n.t("Output: {0}", `${job.module}.${job.method}`);
  const pty = new FollowTerminal(services, job);
  window.createTerminal({ name, pty, iconPath: new ThemeIcon("output") }).show();
}
