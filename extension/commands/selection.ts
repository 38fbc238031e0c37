import { l10n, window } from "vscode";
import { FuncError } from "../../server/common/errors";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { isTreeNode, nodeSpec, type TreeNode } from "../views/treeNode";

/** The nodes that a tree command is about: the selection where the clicked item is part of it. */
export function chosenNodes(item: unknown, items: unknown): TreeNode[] {
  if (Array.isArray(items) && items.length > 0) return items.filter(isTreeNode);
  return isTreeNode(item) ? [item] : [];
}

/**
 * The target expression of what was chosen in the tree; undefined where that is nothing. Rejects where
 * the overlord must be asked for it and is lost.
 */
export async function chosenSpec(
  { minionsView }: Services,
  item: unknown,
  items: unknown,
): Promise<string | undefined> {
  const parts = await Promise.all(
    chosenNodes(item, items).map(async (node) => {
      const spec = nodeSpec(node);
      return spec === undefined ? minionsView.tree.namesIn(node) : [spec];
    }),
  );
  const unique = [...new Set(parts.flat())];
  return unique.length > 0 ? unique.join(";") : undefined;
}

/** Names of the minions that the command is about; asks for one where nothing was chosen. */
export async function chosenMinions(
  services: Services,
  item: unknown,
  items: unknown,
  title: string,
): Promise<readonly string[]> {
  const nodes = chosenNodes(item, items);
  if (nodes.length > 0) {
    const names = nodes.map((node) => services.minionsView.tree.namesIn(node));
    return [...new Set((await Promise.all(names)).flat())];
  }
  const picked = await askPick({ title, items: pickableMinions(services) });
  return picked === undefined || picked === BACK ? [] : [picked.label];
}

/** Asks for any number of minions by name. */
export async function pickMinions(services: Services, title: string): Promise<readonly string[]> {
  const picked = await window.showQuickPick(pickableMinions(services), {
    title,
    canPickMany: true,
    matchOnDescription: true,
  });
  return (picked ?? []).map(({ label }) => label);
}

async function pickableMinions(
  services: Services,
): Promise<{ label: string; description: string }[]> {
  const records = await services.session.request("minions/list", {});
  if (records.length === 0) {
    throw new FuncError(
      "not-found",
      l10n.t("There are no minions yet."),
      l10n.t("Try it with three local minions, or create a join token."),
    );
  }
  return records.map(({ name, address, port, state }) => ({
    label: name,
    description: `${address}:${port} · ${state}`,
  }));
}
