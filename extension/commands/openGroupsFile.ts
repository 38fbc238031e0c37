import { access } from "node:fs/promises";
import { join } from "node:path";
import { Position, Range, Uri, window, workspace } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { Services } from "../services";
import { overlordHome } from "../settings";

/** Opens the file of groups, at the damaged line where it has one. */
export async function openGroupsFile({ session, groups }: Services): Promise<void> {
  const { state } = session;
  const home = state.kind === "connected" ? state.hello.dataDirectory : overlordHome();
  const file = join(home, "groups");
  try {
    await access(file);
  } catch {
    throw new FuncError(
      "not-found",
      `There are no groups yet: ${file} does not exist.`,
      "Add a minion to a group first.",
    );
  }
  const line = damagedLine(groups.problem?.message, file);
  const document = await workspace.openTextDocument(Uri.file(file));
  const at = new Position(line - 1, 0);
  await window.showTextDocument(document, { preview: true, selection: new Range(at, at) });
}

/** Counted from 1: the overlord's messages begin with FILE:LINE. */
function damagedLine(message: string | undefined, file: string): number {
  const rest = message?.startsWith(`${file}:`) ? message.slice(file.length + 1) : "";
  return Math.max(1, Number.parseInt(rest, 10) || 1);
}
