import { l10n, TreeItem, TreeItemCollapsibleState } from "vscode";
import type { MapNodeState } from "../../server/protocol/delegation";
import { dateText } from "../dateText";
import { plainProblem } from "../results/plainProblem";
import { minionCount, overlordIcon, stateIcon } from "./treeItems";
import { nodeKey, type TreeNode } from "./treeNode";

/**
 * The row of a host that stands behind a sub-overlord; `behind`: how many stand behind itself; `awayHop`: the one
 * right above it, where that is unreachable.
 */
export function behindItem(
  node: TreeNode,
  state: MapNodeState | undefined,
  behind: number,
  awayHop?: string,
): TreeItem {
  const { Collapsed, None } = TreeItemCollapsibleState;
  const item = new TreeItem(node.name, behind > 0 ? Collapsed : None);
  const seen = state?.state ?? "unknown";
  item.id = nodeKey(node);
  item.description = [behind > 0 ? minionCount(behind) : "", describe(state, awayHop)]
    .filter(Boolean)
    .join(" · ");
  item.iconPath = behind > 0 ? overlordIcon(seen) : stateIcon(seen);
  item.contextValue = `behind;${seen}`;
  item.tooltip = tooltip(node, state);
  item.accessibilityInformation = { label: `${node.name}, ${item.description}` };
  return item;
}

/** Some of very many hosts of one sub-overlord, whose names start alike. */
export function partItem(node: TreeNode, count: number): TreeItem {
  const item = new TreeItem(`${node.name}…`, TreeItemCollapsibleState.Collapsed);
  item.id = nodeKey(node);
  item.description = minionCount(count);
  item.contextValue = "part";
  return item;
}

function describe(state: MapNodeState | undefined, awayHop?: string): string {
  if (state === undefined || state.state === "unknown") return l10n.t("not called yet");
  if (state.state === "online") return l10n.t("online");
  if (awayHop !== undefined) return l10n.t("unreachable, as {0} is", awayHop);
  return state.problem === undefined
    ? l10n.t("unreachable")
    : l10n.t("unreachable: {0}", plainProblem(state.problem));
}

function tooltip({ path = [] }: TreeNode, state: MapNodeState | undefined): string {
  const lines = [path.join(" › "), describe(state)];
  if (state?.lastSeenMs !== undefined) {
    lines.push(l10n.t("last seen {0}", dateText(state.lastSeenMs)));
  }
  return lines.join("\n");
}
