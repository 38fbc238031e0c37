import { l10n, ProgressLocation, window } from "vscode";
import type { CertificateRecord, RevokeResult } from "../../server/protocol/certmaster";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import { askText } from "../input/askText";
import { BACK, runSteps, type Step } from "../input/steps";
import type { Services } from "../services";
import { chosenCertificates } from "./certificateSelection";

/** Telling thousands of minions, some of which do not answer, takes its time. */
const REVOKE_TIMEOUT_MS = 5 * 60_000;

/** Revokes all certificates of the chosen names, which the user types to confirm. */
export async function revokeCertificate(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const records = await chosenCertificates(services, item, items, {
    title: l10n.t("Revoke Certificate"),
    offered: ({ revoked }) => !revoked,
  });
  if (records.length === 0) return;
  const reason = await confirmedReason(records);
  if (reason === undefined) return;
  const title = l10n.t("Revoking certificates and telling the minions");
  const results = await window.withProgress(
    { location: ProgressLocation.Notification, title },
    () => revoke(services, records, reason),
  );
  await services.certificates.load();
  tell(results);
  await lookAgain(services, results);
}

/** Undefined where the user gave up. */
async function confirmedReason(records: readonly CertificateRecord[]): Promise<string | undefined> {
  const names = [...new Set(records.map(({ name }) => name))];
  const [only = ""] = names;
  const one = names.length === 1;
  const expected = one ? only : String(names.length);
  const title = one
    ? l10n.t("Revoke the Certificate of {0}", only)
    : l10n.t("Revoke the Certificates of {0} Names", names.length);
  const wrong = one
    ? l10n.t("Type {0}, the name on the certificate.", only)
    : l10n.t("Type {0}, how many names these are.", expected);
  let reason = "";
  const confirm: Step = (place) =>
    askText({
      title,
      place,
      prompt: one
        ? l10n.t("{0} Type its name to confirm.", consequence(records))
        : l10n.t(
            "{0} Type the number of names to confirm: {1}",
            consequence(records),
            firstNames(names),
          ),
      placeholder: expected,
      check: (typed) => (typed.trim() === expected ? undefined : wrong),
    });
  const why: Step = async (place) => {
    const prompt = l10n.t("Why? It is kept in the list; it may be empty.");
    const answer = await askText({ title, place, prompt, value: reason });
    if (answer !== undefined && answer !== BACK) reason = answer.trim();
    return answer;
  };
  return (await runSteps(() => [confirm, why])) ? reason : undefined;
}

function consequence(records: readonly CertificateRecord[]): string {
  const roles = new Set(records.map(({ role }) => role));
  if (roles.size > 1) return l10n.t("They are trusted nowhere any more; that cannot be undone.");
  if (roles.has("overlord")) {
    return l10n.t("The overlord goes over to a new key; that cannot be undone.");
  }
  return roles.has("operator")
    ? l10n.t("Every minion refuses this operator; that cannot be undone.")
    : l10n.t("It is called no more and has to join anew; that cannot be undone.");
}

async function revoke(
  { session }: Services,
  records: readonly CertificateRecord[],
  reason: string,
): Promise<RevokeResult[]> {
  const results: RevokeResult[] = [];
  for (const role of new Set(records.map((record) => record.role))) {
    const names = [...new Set(records.filter((it) => it.role === role).map(({ name }) => name))];
    const options = { timeoutMs: REVOKE_TIMEOUT_MS };
    results.push(await session.request("certmaster/revoke", { names, role, reason }, options));
  }
  return results;
}

/** In the background: the tree shows that the revoked minions are refused. */
async function lookAgain(
  { session, minions }: Services,
  results: readonly RevokeResult[],
): Promise<void> {
  const names = results
    .flatMap(({ revoked }) => revoked)
    .flatMap(({ role, name }) => (role === "minion" && minions.get(name) ? [name] : []));
  if (names.length === 0) return;
  const call = { spec: names.join(";"), module: "test", method: "ping", args: [] };
  await session.request("calls/start", { ...call, background: true });
}

function tell(results: readonly RevokeResult[]): void {
  const revoked = results.flatMap((result) => result.revoked);
  const untold = [...new Set(results.flatMap((result) => result.untold))];
  // each list that was sent has all that the ones before it had
  const told = results.at(-1)?.told ?? 0;
  const names = firstNames([...new Set(revoked.map(({ name }) => name))]);
  const counted =
    told === 1 ? l10n.t("1 minion has been told.") : l10n.t("{0} minions have been told.", told);
  const revokedText = l10n.t("Revoked: {0}.", names);
  // there may be no other minion
  const done = told === 0 ? revokedText : `${revokedText} ${counted}`;
  if (untold.length === 0) {
    void window.showInformationMessage(done);
    return;
  }
  const rest = l10n.t(
    "Not told, since they could not be reached: {0}. They are told before their next call.",
    firstNames(untold),
  );
  void window.showWarningMessage(`${done} ${rest}`);
}
