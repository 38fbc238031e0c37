import { open } from "node:fs/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { GroupsText } from "./groupsText";

/** Room for some hundred thousand hosts. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Byte for byte, so that comments in any encoding survive an edit; all that has a meaning is ASCII. */
const ENCODING = "latin1";

interface Content {
  groups: ReadonlyMap<string, readonly string[]>;
  text: string;
  /** What the file looked like from outside when it was read. */
  version: string;
}

/** `<data>/groups`, which people edit too: it is read anew whenever it has changed. */
export class GroupsFile {
  private content: Content | undefined;
  private editing: Promise<unknown> = Promise.resolve();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly file: string) {}

  /**
   * Each group's name with its hosts and globs; empty where the file is missing. Throws FuncError
   * "bad-data" naming file and line where it is damaged, "too-large" beyond 8 MiB.
   */
  async groups(): Promise<ReadonlyMap<string, readonly string[]>> {
    return (await this.load()).groups;
  }

  /** Calls the listener after each edit that changed the file; of other people's nothing is known. */
  onEdited(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Changes the file as it stands now, one edit at a time. Nothing is written where `change` throws. */
  async edit(change: (text: GroupsText) => void): Promise<void> {
    const before = this.editing;
    const edited = (async () => {
      await before;
      const { text } = await this.load();
      const document = GroupsText.parse(text, this.file);
      change(document);
      const changed = document.toString();
      if (changed.length > MAX_BYTES) throw this.tooLarge();
      if (changed === text) return;
      await this.write(changed);
      for (const listener of this.listeners) listener();
    })();
    this.editing = edited.catch(() => undefined); // its own caller was told
    await edited;
  }

  private async load(): Promise<Content> {
    let handle;
    try {
      handle = await open(this.file, "r");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return { groups: new Map(), text: "", version: "" };
      }
      throw this.unreadable(error);
    }
    try {
      const { size, mtimeNs, ctimeNs, ino } = await handle.stat({ bigint: true });
      if (size > MAX_BYTES) throw this.tooLarge();
      const version = [size, mtimeNs, ctimeNs, ino].join("/");
      if (this.content?.version === version) return this.content;
      const text = (await handle.readFile()).toString(ENCODING);
      const groups = GroupsText.parse(text, this.file).groups();
      this.content = { groups, text, version };
      return this.content;
    } catch (error) {
      throw error instanceof FuncError ? error : this.unreadable(error);
    } finally {
      await handle.close();
    }
  }

  private async write(text: string): Promise<void> {
    try {
      await writeFileAtomic(this.file, Buffer.from(text, ENCODING));
    } catch (error) {
      throw new FuncError("unavailable", `${this.file} cannot be written: ${messageOf(error)}`);
    }
  }

  private tooLarge(): FuncError {
    return new FuncError(
      "too-large",
      `${this.file} is larger than ${MAX_BYTES} bytes.`,
      "Use globs instead of single hosts.",
    );
  }

  private unreadable(error: unknown): FuncError {
    return new FuncError("bad-data", `${this.file} cannot be read: ${messageOf(error)}`);
  }
}
