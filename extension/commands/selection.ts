import { l10n, window } from "vscode";
import { FuncError } from "../../server/common/errors";
import { asFuncError } from "../errors";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { OverlordSession } from "../overlordSession";
import type { Services } from "../services";
import { isTreeNode, nodeSpec, type TreeNode } from "../views/treeNode";
import { parsePath } from "../webviews/parseFromMap";

/** The nodes that a tree command is about: the selection where the clicked item is part of it. */
export function chosenNodes(item: unknown, items: unknown): TreeNode[] {
  if (Array.isArray(items) && items.length > 0) return items.filter(isTreeNode);
  return isTreeNode(item) ? [item] : [];
}

/** What was chosen in the tree, or on the delegation map. */
export interface ChosenTargets {
  /** Target expression. */
  spec: string;
  /** Some stand behind sub-overlords. */
  delegate?: true;
}

/**
 * The targets that were chosen; undefined where that is nothing. Rejects where the overlord must be asked and is
 * lost.
 */
export async function chosenTargets(
  { minionsView, session }: Services,
  item: unknown,
  items: unknown,
): Promise<ChosenTargets | undefined> {
  const nodes = chosenNodes(item, items);
  const parts = await Promise.all(
    nodes.map(async (node) => {
      const spec = nodeSpec(node);
      return spec === undefined ? minionsView.tree.namesIn(node) : [spec];
    }),
  );
  const paths =
    nodes.length > 0 ? nodes.flatMap(({ path }) => (path ? [path] : [])) : [hostPath(item)];
  const behind = await Promise.all(paths.map(async (path) => path && targetName(session, path)));
  const unique = [...new Set([...parts.flat(), ...behind.filter((name) => name !== undefined)])];
  if (unique.length === 0) return undefined;
  const delegate = paths.some((path) => path !== undefined && path.length > 1);
  return { spec: unique.join(";"), ...(delegate && { delegate }) };
}

/** The names from the first host on of what was chosen on the delegation map, or behind a minion of the tree. */
export function hostPath(item: unknown): readonly string[] | undefined {
  if (isTreeNode(item)) return item.path ?? (item.kind === "minion" ? [item.name] : undefined);
  const isHost = typeof item === "object" && item !== null && "funcPath" in item;
  return isHost ? parsePath(item.funcPath) : undefined;
}

/** What names the host in a target expression: where several have its name, its overlord's as well. */
async function targetName(session: OverlordSession, path: readonly string[]): Promise<string> {
  const name = path.at(-1) ?? "";
  if (path.length < 2) return name;
  try {
    await session.request("map/paths", { names: [name] });
    return name;
  } catch (error) {
    if (asFuncError(error).reason !== "conflict") throw error;
    return `${name}@${path.at(-2) ?? ""}`;
  }
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
