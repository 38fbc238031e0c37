import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** One line of the file of starts. */
export interface Start {
  token: string;
  pid: number;
}

const STARTS = "starts";
/** Long, since a machine with other work on it starts a process late. */
const START_TIMEOUT_MS = 300_000;
/** Lines at the end of the file of starts that are looked through for something to kill. */
const RECENT = 12;

/** A host with one minion: its funcd, and what the work on it left. */
export class MinionHost {
  #child?: ChildProcess;
  #wanted = true;
  /** Ends that nobody here had a hand in, with its last words. */
  readonly ownEnds: string[] = [];

  constructor(
    readonly name: string,
    private readonly home: string,
    private readonly folder: string,
    private readonly funcdScript: string,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** Of its funcd, where it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts funcd and resolves when it serves. Throws with its words where it does not. */
  async start(): Promise<void> {
    if (this.#child || !this.#wanted) return;
    const child = spawn(
      process.execPath,
      [this.funcdScript, "--home", this.home, "--exit-with-stdin"],
      {
        stdio: ["pipe", "pipe", "pipe"],
        // the folder of the work: commands get this variable from funcd
        env: { ...process.env, TMPDIR: this.folder },
      },
    );
    this.#child = child;
    let words = "";
    child.stdin.on("error", () => undefined);
    child.stderr.on("data", (chunk: Buffer) => (words = (words + String(chunk)).slice(-4_000)));
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => {
        reject(new Error(`funcd of ${this.name} did not start: ${words}`));
      };
      const timer = setTimeout(fail, START_TIMEOUT_MS);
      child.stdout.on("data", (chunk: Buffer) => {
        if (String(chunk).includes(" serves on ")) {
          clearTimeout(timer);
          resolve();
        }
      });
      child.once("exit", () => {
        clearTimeout(timer);
        if (this.#child === child) {
          this.#child = undefined;
          this.ownEnds.push(`funcd of ${this.name} ended by itself: ${words}`);
        }
        fail();
      });
    });
  }

  /** Kills funcd, as it stands. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    // jobs of it may hold its outputs open
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    child.stdout?.destroy();
    child.stderr?.destroy();
  }

  async close(): Promise<void> {
    this.#wanted = false;
    await this.kill();
  }

  /** All starts of work on this host, oldest first. */
  async starts(): Promise<Start[]> {
    return startsIn(await readFile(join(this.folder, STARTS), "utf8").catch(() => ""));
  }

  /**
   * Kills work that runs on this host right now, or its runner, where there is one: gives its token. Only what
   * names its token on its command line is touched.
   */
  killWork(runner: boolean): string | undefined {
    const recent = startsIn(readIfThere(join(this.folder, STARTS))).slice(-RECENT);
    for (const { token, pid } of recent.reverse()) {
      if (!commandLine(pid).includes(`: ${token}; `)) continue;
      const parent = parentOf(pid);
      const isRunner = commandLine(parent).includes("funcd-job");
      const victim = runner && isRunner ? parent : pid;
      try {
        process.kill(victim, "SIGKILL");
        return token;
      } catch {
        // it has just ended
      }
    }
    return undefined;
  }
}

function startsIn(text: string): Start[] {
  return text.split("\n").flatMap((line) => {
    const [token = "", pid = ""] = line.split(" ");
    return token === "" ? [] : [{ token, pid: Number(pid) }];
  });
}

function commandLine(pid: number): string {
  return readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

function parentOf(pid: number): number {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
