import { l10n, MarkdownString, workspace, type Disposable, type Uri } from "vscode";
import { bufferSource, type ByteSource } from "../results/byteSource";
import { partText } from "../results/documentParts";
import type { ResultReader } from "../results/resultParts";
import { resultSource } from "../results/resultSource";
import { ReadOnlyFiles } from "./readOnlyFiles";
import { parseResultUri, RESULT_SCHEME } from "./resultUri";

/** Provides the read-only files of `resultUri`, which are read from the overlord. */
export function registerResultFiles(reader: ResultReader): Disposable {
  const files = new ReadOnlyFiles((uri, forget) => open(reader, uri, forget));
  return workspace.registerFileSystemProvider(RESULT_SCHEME, files, {
    isReadonly: new MarkdownString(l10n.t("This is the result of a call.")),
    isCaseSensitive: true,
  });
}

async function open(
  reader: ResultReader,
  uri: Uri,
  forget: () => void,
): Promise<ByteSource | undefined> {
  const address = parseResultUri(uri);
  if (!address) return undefined;
  const { source, final } = await resultSource(reader, address);
  if (!final) forget();
  if (address.part === undefined) return source;
  return bufferSource(Buffer.from(await partText(source, address.part), "utf8"));
}
