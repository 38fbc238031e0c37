import { l10n } from "vscode";
import { requireTrust } from "../calls";
import { askHost } from "../input/askHost";
import type { Services } from "../services";

/** Makes a host a minion over SSH, in a terminal, since ssh may have questions. */
export async function addHost({ hostTerminal }: Services): Promise<void> {
  requireTrust();
  const host = await askHost(l10n.t("Add Host"));
  if (host === undefined) return;
  hostTerminal.run(l10n.t("Add {0}", host), ["add-host", host]);
}
