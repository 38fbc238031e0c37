import {
  EventEmitter,
  FilePermission,
  FileSystemError,
  FileType,
  Disposable,
  type FileChangeEvent,
  type FileStat,
  type FileSystemProvider,
  type Uri,
} from "vscode";
import { errorText } from "../errors";
import type { ByteSource } from "../results/byteSource";

/** VS Code asks for a file's size and then for its content. */
const MAX_KEPT = 8;

/** Read-only files that are made when they are looked at, and then do not change. */
export class ReadOnlyFiles implements FileSystemProvider {
  // results do not change once they are there
  readonly onDidChangeFile = new EventEmitter<FileChangeEvent[]>().event;
  private readonly kept = new Map<string, Promise<ByteSource>>();

  /**
   * `read` gives the file's content, or undefined where there is none; `forget` is to be called where the next
   * look may find something else.
   */
  constructor(
    private readonly read: (uri: Uri, forget: () => void) => Promise<ByteSource | undefined>,
  ) {}

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

  private async open(uri: Uri, forget: () => void): Promise<ByteSource> {
    try {
      const source = await this.read(uri, forget);
      if (source) return source;
    } catch (error) {
      forget();
      throw unavailable(error);
    }
    forget();
    throw FileSystemError.FileNotFound(uri);
  }
}

function unavailable(error: unknown): FileSystemError {
  return FileSystemError.Unavailable(errorText(error));
}
