import { l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import type { TreeNode } from "../views/minionsTree";

/** The nodes that a tree command is about: the selection where the clicked item is part of it. */
export function chosenNodes(item: unknown, items: unknown): TreeNode[] {
  if (Array.isArray(items) && items.length > 0) return items.filter(isTreeNode);
  return isTreeNode(item) ? [item] : [];
}

/** The target expression of nodes; a folder is a glob. Undefined where there are none. */
export function specOf(nodes: readonly TreeNode[]): string | undefined {
  if (nodes.length === 0) return undefined;
  return nodes.map(({ kind, name }) => (kind === "group" ? `${name}*` : name)).join(";");
}

/** Names of the minions that the command is about; asks for one where nothing was chosen. */
export async function chosenMinions(
  services: Services,
  item: unknown,
  items: unknown,
  title: string,
): Promise<readonly string[]> {
  const nodes = chosenNodes(item, items);
  if (nodes.length > 0) return nodes.flatMap((node) => services.minionsView.tree.namesIn(node));
  const picked = await askPick({ title, items: pickableMinions(services) });
  return picked === undefined || picked === BACK ? [] : [picked.label];
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

function isTreeNode(value: unknown): value is TreeNode {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    (value.kind === "minion" || value.kind === "group") &&
    "name" in value &&
    typeof value.name === "string"
  );
}
