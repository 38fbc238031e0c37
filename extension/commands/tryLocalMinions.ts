import { l10n, ProgressLocation, window } from "vscode";
import { requireTrust } from "../calls";
import { signalOf } from "../cancellation";
import type { Services } from "../services";

/** Starts three minions on this machine, to try Func without any other host. */
export async function tryLocalMinions(services: Services): Promise<void> {
  requireTrust();
  const { localMinions, minionsView } = services;
  await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: l10n.t("Local minions"),
      cancellable: true,
    },
    (progress, token) =>
      localMinions.start(signalOf(token), (message) => {
        progress.report({ message });
      }),
  );
  await minionsView.focus();
}
