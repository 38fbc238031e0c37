import { l10n, window } from "vscode";
import { requireTrust } from "../calls";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { untilText } from "../views/certificateItems";
import { spanText } from "../views/certificateValidity";

const MINUTE_MS = 60_000;
const SPANS_MS = [15 * MINUTE_MS, 60 * MINUTE_MS, 8 * 60 * MINUTE_MS];

/** Takes certificate requests for some time; each waits until somebody approves it. */
export async function allowRequests({ certificates, session }: Services): Promise<void> {
  requireTrust();
  const picked = await askPick({
    title: l10n.t("Allow Certificate Requests"),
    placeholder: l10n.t("For how long? Nothing is signed before you approve it."),
    items: SPANS_MS.map((forMs) => ({ label: spanText(forMs), forMs })),
  });
  if (picked === undefined || picked === BACK) return;
  const list = await session.request("certmaster/setApproval", { forMs: picked.forMs });
  certificates.take(list);
  const untilMs = list.modes.approvalUntilMs;
  if (untilMs === undefined) return;
  void window.showInformationMessage(
    l10n.t("Certificate requests are taken {0}, and wait for your approval.", untilText(untilMs)),
  );
}

/** Takes no more certificate requests; those that wait go on waiting. */
export async function stopRequests({ certificates, session }: Services): Promise<void> {
  requireTrust();
  certificates.take(await session.request("certmaster/setApproval", { forMs: 0 }));
}
