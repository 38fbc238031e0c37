import { l10n, window } from "vscode";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import { askGroup } from "../input/askGroup";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenNodes } from "./selection";

/** Deletes the chosen groups, after a question that says what is in them. */
export async function deleteGroup(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const { groups, minionsView } = services;
  let names = chosenNodes(item, items)
    .filter(({ kind }) => kind === "group")
    .map(({ name }) => name);
  if (names.length === 0) {
    const asked = await askGroup({ title: l10n.t("Delete Group"), groups });
    if (asked === undefined || asked === BACK) return;
    names = [asked];
  }
  const hosts = groups.records.filter(({ name }) => names.includes(name)).flatMap((it) => it.hosts);
  const go = l10n.t("Delete");
  const question =
    names.length === 1
      ? l10n.t("Delete the group {0}?", firstNames(names))
      : l10n.t("Delete {0} groups ({1})?", names.length, firstNames(names));
  const detail = [
    hosts.length > 0 ? l10n.t("It lists {0}.", firstNames(hosts)) : l10n.t("It is empty."),
    l10n.t("Its minions stay as they are."),
  ].join(" ");
  const chosen = await window.showWarningMessage(question, { modal: true, detail }, go);
  if (chosen !== go) return;
  for (const name of names) await groups.edit({ name, delete: true });
  minionsView.groupsChanged();
}
