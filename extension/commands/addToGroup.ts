import { l10n, window } from "vscode";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import { askGroup } from "../input/askGroup";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { nodeSpec, type TreeNode } from "../views/treeNode";
import { chosenNodes, pickMinions } from "./selection";

/** Adds the chosen minions, folders and globs to a group that it asks for. */
export async function addToGroup(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const nodes = chosenNodes(item, items);
  const entries =
    nodes.length > 0
      ? await groupEntries(services, nodes)
      : await pickMinions(services, l10n.t("Add to Group"));
  await addEntries(services, entries, undefined);
}

/** Adds what was dropped on a group, or on the section of groups (undefined: asks for a name). */
export async function dropOnGroup(
  services: Services,
  nodes: readonly TreeNode[],
  group: string | undefined,
): Promise<void> {
  requireTrust();
  const moved = nodes.filter((node) => node.group !== group || group === undefined);
  await addEntries(services, await groupEntries(services, moved), group);
}

async function addEntries(
  services: Services,
  entries: readonly string[],
  group: string | undefined,
): Promise<void> {
  if (entries.length === 0) return;
  const title = l10n.t("Add {0} to Group", firstNames(entries));
  const name = group ?? (await askGroup({ title, groups: services.groups, create: true }));
  if (name === undefined || name === BACK) return;
  await services.groups.edit({ name, add: [...entries] });
  services.minionsView.groupsChanged();
  const added = firstNames(entries);
  void window.showInformationMessage(
    l10n.t("Added to the group {0}: {1}. Write @{0} wherever minions are asked for.", name, added),
  );
}

/** Names and globs as a group lists them; a folder is its glob, so that later minions belong to it. */
async function groupEntries(services: Services, nodes: readonly TreeNode[]): Promise<string[]> {
  const entries = await Promise.all(
    nodes
      .filter(({ kind }) => kind !== "group")
      .map(async (node) => {
        const spec = nodeSpec(node);
        return spec === undefined ? services.minionsView.tree.namesIn(node) : [spec];
      }),
  );
  return [...new Set(entries.flat())];
}
