import { env, l10n, window } from "vscode";
import type { CertmasterList } from "../../server/protocol/certmaster";
import { requireTrust } from "../calls";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { OverlordSession } from "../overlordSession";
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
  const command = await askCommand(session, list);
  const copy = l10n.t("Copy Command");
  const chosen = await window.showInformationMessage(
    l10n.t("Run this on each host that is to join:"),
    {
      modal: true,
      detail: [
        command,
        l10n.t(
          "The host shows eight words and waits. Its request shows up in the view Certificates; approve it there if the words are the same.",
        ),
        l10n.t(
          "Requests are taken {0}. The command holds no secret.",
          untilText(list.modes.approvalUntilMs ?? Date.now() + picked.forMs),
        ),
      ].join("\n\n"),
    },
    copy,
  );
  if (chosen === copy) await env.clipboard.writeText(command);
}

/** Takes no more certificate requests; those that wait go on waiting. */
export async function stopRequests({ certificates, session }: Services): Promise<void> {
  requireTrust();
  certificates.take(await session.request("certmaster/setApproval", { forMs: 0 }));
}

/** What a host runs to ask; the fingerprint sees to it that it asks this overlord and no other. */
async function askCommand(session: OverlordSession, list: CertmasterList): Promise<string> {
  const { certmasterListening = "", host } = await session.request("overlord/status", {});
  // listening on all addresses, it is reached by its name
  const endpoint = certmasterListening.replace(/^(?:0\.0\.0\.0|\[::\]|::)(?=:\d+$)/, host);
  const pin = list.caFingerprint === undefined ? [] : ["--ca-fingerprint", list.caFingerprint];
  return ["node funcd.js", "join", "--ask", endpoint, ...pin].join(" ");
}
