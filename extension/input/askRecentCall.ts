import {
  Disposable,
  l10n,
  QuickPickItemKind,
  ThemeIcon,
  window,
  type QuickInputButton,
  type QuickPickItem,
} from "vscode";
import { dateText } from "../dateText";
import { targetsText, type JobSummary } from "../../server/protocol/jobs";
import { showError } from "../errors";
import type { RecentCall, RecentCalls } from "../recentCalls";
import { plainLabel } from "./plainLabel";

interface CallItem extends QuickPickItem {
  call?: RecentCall;
}

/** The call, and whether it is to be changed before it is made. */
export interface ChosenCall {
  call: RecentCall;
  edit: boolean;
}

/**
 * Asks for one of the recent calls; single ones and all can be forgotten in the box. `jobs`: what is known
 * of how they went, shown once it is there.
 */
export function askRecentCall(
  calls: RecentCalls,
  jobs: Promise<readonly JobSummary[]>,
): Promise<ChosenCall | undefined> {
  const edit: QuickInputButton = {
    iconPath: new ThemeIcon("edit"),
    tooltip: l10n.t("Change It First..."),
  };
  const forget: QuickInputButton = { iconPath: new ThemeIcon("close"), tooltip: l10n.t("Forget") };
  const clear: QuickInputButton = {
    iconPath: new ThemeIcon("clear-all"),
    tooltip: l10n.t("Forget All"),
  };
  const box = window.createQuickPick<CallItem>();
  box.title = l10n.t("Call Again");
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  box.ignoreFocusOut = true;
  box.buttons = [clear];
  let outcomes: ReadonlyMap<string, JobSummary> = new Map();
  const offer = (): void => {
    const list = calls.list();
    box.placeholder =
      list.length > 0
        ? l10n.t("A call to make again, just as it was")
        : l10n.t("No calls have been made from this workspace yet.");
    // what is typed narrows; what changes meanwhile must not move the choice
    const active = box.activeItems[0]?.call?.jobId;
    box.items = list.map((call) => callItem(call, outcomes.get(call.jobId), [edit, forget]));
    const still = box.items.find(({ call }) => call !== undefined && call.jobId === active);
    if (still) box.activeItems = [still];
  };
  return new Promise((resolve) => {
    let open = true;
    const finish = (chosen: ChosenCall | undefined): void => {
      resolve(chosen);
      open = false;
      disposables.dispose();
    };
    const disposables = Disposable.from(
      box,
      calls.onDidChange(offer),
      box.onDidAccept(() => {
        const call = box.selectedItems[0]?.call;
        if (call) finish({ call, edit: false });
      }),
      box.onDidTriggerItemButton(({ item: { call }, button }) => {
        if (!call) return;
        if (button === edit) finish({ call, edit: true });
        else calls.forget(call.jobId).catch(showError);
      }),
      box.onDidTriggerButton(() => {
        calls.clear().catch(showError);
      }),
      box.onDidHide(() => finish(undefined)),
    );
    offer();
    box.show();
    jobs.then(
      (known) => {
        if (!open) return;
        outcomes = new Map(known.map((job) => [job.id, job]));
        offer();
      },
      () => undefined, // without an overlord nobody knows how they went
    );
  });
}

function callItem(
  call: RecentCall,
  job: JobSummary | undefined,
  buttons: readonly QuickInputButton[],
): CallItem {
  const args = call.args?.map((value) => JSON.stringify(value)).join(", ") ?? l10n.t("asked again");
  const when = dateText(call.createdAtMs);
  return {
    kind: QuickPickItemKind.Default,
    label: plainLabel(`${call.module}.${call.method}(${shortened(args)})`),
    description: plainLabel(shortened(targetsText(call))),
    detail: job === undefined ? when : `${when} · ${outcomeOf(job)}`,
    buttons,
    call,
  };
}

function outcomeOf({ finished, counts, total, failedCommands = 0 }: JobSummary): string {
  if (!finished) return l10n.t("running");
  return l10n.t("{0} of {1} succeeded", (counts.succeeded ?? 0) - failedCommands, total);
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
