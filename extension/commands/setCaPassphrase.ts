import { l10n } from "vscode";
import { requireTrust } from "../calls";
import { showError } from "../errors";
import { askText, type TextQuestion } from "../input/askText";
import { BACK, runSteps, type Step } from "../input/steps";
import type { Services } from "../services";

/** Encrypts the CA's key with a passphrase, or changes it. */
export async function setCaPassphrase(services: Services): Promise<void> {
  requireTrust();
  const { caPassphrase, certificates, session } = services;
  await certificates.load();
  const kept = await caPassphrase.kept(certificates.list);
  const encrypted = certificates.list?.caEncrypted === true;
  let old = kept ?? "";
  let next = "";
  const present = asks(l10n.t("Its present passphrase"), notEmpty, (text) => (old = text));
  const first = asks(
    l10n.t(
      "Without it the fleet is lost once its certificates end: keep it where it outlives you.",
    ),
    notEmpty,
    (text) => (next = text),
  );
  const again = asks(l10n.t("The new passphrase once more"), (text) =>
    text === next ? undefined : l10n.t("This is another one."),
  );
  const steps = encrypted && kept === undefined ? [present, first, again] : [first, again];
  if (!(await runSteps(() => steps))) return;
  certificates.take(
    await session.request("certmaster/setPassphrase", { ...(encrypted && { old }), next }),
  );
  caPassphrase.offerToKeep(next, l10n.t("The CA's key is encrypted.")).catch(showError);
}

function asks(
  prompt: string,
  check: NonNullable<TextQuestion["check"]>,
  keep: (text: string) => void = () => undefined,
): Step {
  return async (place) => {
    const title = l10n.t("Set the CA's Passphrase");
    const answer = await askText({ title, prompt, place, check, password: true });
    if (answer !== undefined && answer !== BACK) keep(answer);
    return answer;
  };
}

function notEmpty(text: string): string | undefined {
  return text === "" ? l10n.t("It cannot be empty.") : undefined;
}
