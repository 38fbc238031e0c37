import { commands } from "vscode";
import type { Services } from "../services";

/** Its id in the manifest. */
const WALKTHROUGH = "firstHour";

/** What VS Code needs to take in the walkthroughs of extensions, which it begins with the first one opened. */
const TAKEN_IN_MS = 700;
let asked = false;

/** Opens the first steps with Func, in pictures. */
export async function openWalkthrough({ context }: Services): Promise<void> {
  const id = `${context.extension.id}#${WALKTHROUGH}`;
  await commands.executeCommand("workbench.action.openWalkthrough", id, false);
  if (asked) return;
  asked = true;
  // until then, older versions open one of their own instead, and nothing tells when they are ready
  await new Promise((resolve) => setTimeout(resolve, TAKEN_IN_MS));
  await commands.executeCommand("workbench.action.openWalkthrough", id, false);
}
