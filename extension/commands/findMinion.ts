import { commands } from "vscode";
import type { Services } from "../services";

/** Opens VS Code's search box of lists in the tree: nobody finds it by itself. */
export async function findMinion({ minionsView }: Services): Promise<void> {
  await minionsView.focus();
  await commands.executeCommand("list.find");
}
