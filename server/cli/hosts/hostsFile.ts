import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { acquireLock } from "../../common/lockFile";

const text = v.pipe(v.string(), v.maxLength(1_000));
const schema = v.record(
  text,
  v.object({
    destination: text,
    sshOptions: v.array(text),
    identity: v.optional(text),
    home: text,
    node: text,
    asRoot: v.boolean(),
    service: v.picklist(["system", "user", "detached"]),
  }),
);

/** How a host was added, for it to be removed the same way. */
export type AddedHost = v.InferOutput<typeof schema>[string];

const LOCK_TRIES = 50;
const LOCK_RETRY_MS = 100;

/** The hosts that `func add-host` set up, by minion name, in `<data>/hosts.json`. */
export class HostsFile {
  private readonly file: string;

  constructor(dataDirectory: string) {
    this.file = join(dataDirectory, "hosts.json");
  }

  /** Throws FuncError "bad-data" where the file is damaged. */
  async find(name: string): Promise<AddedHost | undefined> {
    return (await this.read()).get(name);
  }

  /** The name of what was added there; undefined where that was nothing, or more than one minion. */
  async nameAt(
    at: Pick<AddedHost, "destination" | "sshOptions" | "home">,
  ): Promise<string | undefined> {
    const key = ({ destination, sshOptions, home }: typeof at): string =>
      JSON.stringify([destination, sshOptions, home]);
    const there = [...(await this.read())].filter(([, added]) => key(added) === key(at));
    return there.length === 1 ? there[0]?.[0] : undefined;
  }

  /** `host` undefined forgets it. Throws FuncError "conflict" where another func holds the file. */
  async put(name: string, host: AddedHost | undefined): Promise<void> {
    const release = await this.lock();
    try {
      const hosts = await this.read();
      if (host) hosts.set(name, host);
      else if (!hosts.delete(name)) return;
      const content = `${JSON.stringify(Object.fromEntries(hosts), null, 2)}\n`;
      await writeFileAtomic(this.file, content);
    } finally {
      await release();
    }
  }

  private async lock(): Promise<() => Promise<void>> {
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const lock = await acquireLock(`${this.file}.lock`, "func");
      if (lock) return () => lock.release();
      await sleep(LOCK_RETRY_MS);
    }
    throw new FuncError("conflict", `${this.file} is being changed by another func.`, "Try again.");
  }

  private async read(): Promise<Map<string, AddedHost>> {
    let content: string;
    try {
      content = await readFile(this.file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
      throw new FuncError("bad-data", `${this.file} cannot be read: ${messageOf(error)}.`);
    }
    try {
      return new Map(Object.entries(v.parse(schema, JSON.parse(content))));
    } catch {
      throw new FuncError(
        "bad-data",
        `${this.file} is damaged.`,
        "It only tells how hosts are reached by ssh: move it away, and name the host with --ssh when you remove one.",
      );
    }
  }
}
