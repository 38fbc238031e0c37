import { homedir } from "node:os";
import { l10n, ProgressLocation, Uri, window, workspace, type Progress } from "vscode";
import { signalOf } from "../cancellation";
import { parseResultUri, resultUri } from "../documents/resultUri";
import { activeResults } from "../documents/showResult";
import { writeTarget } from "../export/writeTarget";
import type { ByteSource } from "../results/byteSource";
import { formatBytes } from "../results/formatBytes";
import { resultSource } from "../results/resultSource";
import type { Services } from "../services";

const CHUNK_BYTES = 1024 * 1024;

/** Writes the whole result that the editor in front shows (a part of) to a file, byte for byte. */
export async function saveOutput({ session }: Services, item?: unknown): Promise<void> {
  const address = (item instanceof Uri ? parseResultUri(item) : undefined) ?? activeResults()?.left;
  if (!address) return;
  const { jobId, minion, call, section } = address;
  const name = resultUri(jobId, minion, call, { section }).path.slice(1);
  const folder = workspace.workspaceFolders?.[0]?.uri ?? Uri.file(homedir());
  const title = l10n.t("Save the Whole Output of {0}", minion);
  const target = await window.showSaveDialog({ title, defaultUri: Uri.joinPath(folder, name) });
  if (!target) return;
  await window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const signal = signalOf(token);
      const { source } = await resultSource(session, address, signal);
      await writeTarget(target, chunksOf(source, progress, signal), signal);
    },
  );
}

async function* chunksOf(
  source: ByteSource,
  progress: Progress<{ message: string; increment: number }>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  while (done < source.bytes) {
    const chunk = await source.read(done, CHUNK_BYTES, signal);
    yield chunk;
    done += chunk.length;
    progress.report({
      message: l10n.t("{0} of {1}", formatBytes(done), formatBytes(source.bytes)),
      increment: (100 * chunk.length) / source.bytes,
    });
  }
}
