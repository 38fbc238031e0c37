import { commands } from "vscode";
import type { Services } from "../services";

/** Its id in the manifest. */
const WALKTHROUGH = "firstHour";

/** Opens the first steps with Func, in pictures. */
export async function openWalkthrough({ context }: Services): Promise<void> {
  const id = `${context.extension.id}#${WALKTHROUGH}`;
  await commands.executeCommand("workbench.action.openWalkthrough", id, false);
}
