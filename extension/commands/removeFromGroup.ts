import { l10n, window, type QuickPickItem } from "vscode";
import { requireTrust } from "../calls";
import { askGroup } from "../input/askGroup";
import { plainLabel } from "../input/plainLabel";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { isGlob } from "../views/groupsModel";
import { isGroupEntry } from "../views/treeNode";
import { chosenNodes } from "./selection";

/** Takes the chosen entries out of their groups, or asks for a group and its entries. */
export async function removeFromGroup(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const byGroup = new Map<string, string[]>();
  for (const node of chosenNodes(item, items)) {
    if (node.group === undefined || !isGroupEntry(node)) continue;
    byGroup.set(node.group, [...(byGroup.get(node.group) ?? []), node.name]);
  }
  if (byGroup.size === 0) {
    const asked = await ask(services);
    if (!asked) return;
    byGroup.set(asked.group, asked.entries);
  }
  for (const [name, remove] of byGroup) await services.groups.edit({ name, remove });
  services.minionsView.groupsChanged();
}

async function ask({
  groups,
}: Services): Promise<{ group: string; entries: string[] } | undefined> {
  const title = l10n.t("Remove from Group");
  const group = await askGroup({ title, groups });
  if (group === undefined || group === BACK) return undefined;
  const hosts = groups.records.find(({ name }) => name === group)?.hosts ?? [];
  const items = hosts.map((entry): QuickPickItem & { entry: string } => ({
    label: plainLabel(entry),
    description: isGlob(entry) ? l10n.t("glob") : undefined,
    entry,
  }));
  const picked = await window.showQuickPick(items, {
    title: l10n.t("Remove from Group {0}", group),
    canPickMany: true,
  });
  if (!picked || picked.length === 0) return undefined;
  return { group, entries: picked.map(({ entry }) => entry) };
}
