import { access } from "node:fs/promises";
import { join } from "node:path";
import { Uri, window, workspace } from "vscode";
import type { Services } from "../services";
import { overlordHome } from "../settings";

/** Opens the overlord's log file; where there is none yet, the log of this extension. */
export async function showLog({ log }: Services): Promise<void> {
  const file = join(overlordHome(), "overlord.log");
  try {
    await access(file);
  } catch {
    log.show();
    return;
  }
  const document = await workspace.openTextDocument(Uri.file(file));
  await window.showTextDocument(document, { preview: true });
}
