import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { l10n, Uri, workspace } from "vscode";
import { FuncError, messageOf } from "../../server/common/errors";
import { writeWhole } from "./writeWhole";

/**
 * Writes a file that is there whole or not at all, wherever VS Code can write; false where `signal`
 * cancelled it. Throws FuncError "unavailable" where it cannot be written, and what `pieces` throw.
 */
export async function writeTarget(
  target: Uri,
  pieces: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    if (target.scheme === "file") await writeWhole(target.fsPath, pieces, signal);
    else await writeElsewhere(target, pieces, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    if (error instanceof Error && "code" in error) {
      throw new FuncError(
        "unavailable",
        l10n.t("The results were not written to {0}: {1}", target.fsPath, messageOf(error)),
        l10n.t("Choose another place, or make room there."),
      );
    }
    throw error;
  }
}

/** A file system that an extension provides takes whole files only. */
async function writeElsewhere(
  target: Uri,
  pieces: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "func-export-"));
  try {
    const file = join(folder, "results");
    await writeWhole(file, pieces, signal);
    await workspace.fs.copy(Uri.file(file), target, { overwrite: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
