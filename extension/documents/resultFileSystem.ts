import {
  EventEmitter,
  FilePermission,
  FileSystemError,
  FileType,
  MarkdownString,
  l10n,
  workspace,
  Disposable,
  type FileChangeEvent,
  type FileStat,
  type FileSystemProvider,
  type Uri,
} from "vscode";
import { errorText } from "../errors";
import type { OverlordSession } from "../overlordSession";
import { bufferSource, type ByteSource } from "../results/byteSource";
import { partText } from "../results/documentParts";
import type { ResultReader } from "../results/resultParts";
import { resultSource } from "../results/resultSource";
import { parseResultUri, RESULT_SCHEME } from "./resultUri";

/** VS Code asks for a file's size and then for its content. */
const MAX_KEPT = 8;

/** Provides the read-only files of `resultUri`, which are read from the overlord. */
export function registerResultFiles(session: OverlordSession): Disposable {
  return workspace.registerFileSystemProvider(RESULT_SCHEME, new ResultFileSystem(session), {
    isReadonly: new MarkdownString(l10n.t("This is the result of a call.")),
    isCaseSensitive: true,
  });
}

class ResultFileSystem implements FileSystemProvider {
  // results do not change once they are there
  readonly onDidChangeFile = new EventEmitter<FileChangeEvent[]>().event;
  private readonly kept = new Map<string, Promise<ByteSource>>();

  constructor(private readonly reader: ResultReader) {}

  watch(): Disposable {
    return new Disposable(() => undefined);
  }

  async stat(uri: Uri): Promise<FileStat> {
    const { bytes } = await this.file(uri);
    return {
      type: FileType.File,
      ctime: 0,
      mtime: 0,
      size: bytes,
      permissions: FilePermission.Readonly,
    };
  }

  async readFile(uri: Uri): Promise<Uint8Array> {
    const source = await this.file(uri);
    try {
      return await source.read(0, source.bytes);
    } catch (error) {
      throw unavailable(error);
    }
  }

  readDirectory(uri: Uri): never {
    throw FileSystemError.FileNotADirectory(uri);
  }

  createDirectory(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  delete(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  rename(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  private async file(uri: Uri): Promise<ByteSource> {
    const key = uri.toString();
    const known = this.kept.get(key);
    if (known) return known;
    const opened = this.open(uri, () => this.kept.delete(key));
    this.kept.set(key, opened);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size > MAX_KEPT) this.kept.delete(oldest);
    }
    return opened;
  }

  /** `forget` is called where the next look may find something else. */
  private async open(uri: Uri, forget: () => void): Promise<ByteSource> {
    const address = parseResultUri(uri);
    if (!address) throw FileSystemError.FileNotFound(uri);
    try {
      const { source, final } = await resultSource(this.reader, address);
      if (!final) forget();
      if (address.part === undefined) return source;
      return bufferSource(Buffer.from(await partText(source, address.part), "utf8"));
    } catch (error) {
      forget();
      throw unavailable(error);
    }
  }
}

function unavailable(error: unknown): FileSystemError {
  return FileSystemError.Unavailable(errorText(error));
}
