import {
  DataTransferItem,
  type CancellationToken,
  type DataTransfer,
  type TreeDragAndDropController,
} from "vscode";
import { MINIONS_VIEW } from "../commandIds";
import { showError } from "../errors";
import { isTreeNode, type TreeNode } from "./treeNode";

/** Rows of our own tree; VS Code hands the value over as it is within one window. */
const MIME = `application/vnd.code.tree.${MINIONS_VIEW.toLowerCase()}`;

/** Minions, folders and globs can be dragged onto a group, or onto the section of groups for a new one. */
export class GroupDrop implements TreeDragAndDropController<TreeNode> {
  readonly dragMimeTypes = [MIME];
  readonly dropMimeTypes = [MIME];

  /** `onDropped`: gets the rows, and the group, or undefined for a new one. */
  constructor(
    private readonly onDropped: (
      nodes: readonly TreeNode[],
      group: string | undefined,
    ) => Promise<void>,
  ) {}

  handleDrag(source: readonly TreeNode[], data: DataTransfer): void {
    data.set(MIME, new DataTransferItem(source));
  }

  async handleDrop(
    target: TreeNode | undefined,
    data: DataTransfer,
    token: CancellationToken,
  ): Promise<void> {
    const group = target?.kind === "group" ? target.name : target?.group;
    if (group === undefined && target?.kind !== "groups") return;
    const dragged: unknown = data.get(MIME)?.value;
    if (!Array.isArray(dragged) || token.isCancellationRequested) return;
    const nodes = dragged.filter(isTreeNode);
    try {
      await this.onDropped(nodes, group);
    } catch (error) {
      await showError(error);
    }
  }
}
