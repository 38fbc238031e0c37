import { spawn } from "node:child_process";
import { basename } from "node:path";
import { FuncError, messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import { triggerFiles } from "./triggerFiles";

const TIME_LIMIT_MS = 30_000;
/** Programs at the same time, of all requests together. */
const MAX_AT_ONCE = 8;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** How much of what a trigger prints the log keeps. */
const OUTPUT_CHARACTERS = 500;
/** A program has ended, and what it printed last is still on its way. */
const LAST_OUTPUT_MS = 200;

export type TriggerKind = "request" | "sign" | "remove";

/**
 * The operator's own programs around what the certmaster does, in `<folder>/{request,sign,remove}/{pre,post}`. Each
 * gets the host's name as its only argument; no shell, no input, an environment of PATH, LANG and HOME.
 */
export class Triggers {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly folder: string,
    private readonly log: Log,
    private readonly timeLimitMs = TIME_LIMIT_MS,
  ) {}

  /** Before it is done. Throws FuncError "denied" that names the trigger which does not end well. */
  async before(kind: TriggerKind, name: string): Promise<void> {
    for (const file of await triggerFiles(this.folder, kind, "pre")) {
      const problem = await this.run(file, name);
      if (problem === undefined) continue;
      this.log.warn("certmaster: a trigger refuses", { trigger: file, name, problem });
      throw new FuncError(
        "denied",
        `The overlord's trigger ${kind}/pre/${basename(file)} refuses ${name}: ${problem.split("\n", 1)[0] ?? ""}.`,
        "Ask the operator of the overlord.",
      );
    }
  }

  /** After it was done; what goes wrong is only logged. */
  async after(kind: TriggerKind, name: string): Promise<void> {
    try {
      for (const file of await triggerFiles(this.folder, kind, "post")) {
        const problem = await this.run(file, name);
        if (problem === undefined) continue;
        this.log.warn("certmaster: a trigger failed", { trigger: file, name, problem });
      }
    } catch (error) {
      this.log.warn("certmaster: triggers cannot run", { name, problem: messageOf(error) });
    }
  }

  /** Why the program did not end well; undefined where it did. */
  private async run(file: string, name: string): Promise<string | undefined> {
    if (this.running >= MAX_AT_ONCE) {
      await new Promise<void>((resolve) => this.queue.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await runProgram(file, name, this.timeLimitMs);
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}

function runProgram(file: string, name: string, timeLimitMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, [name], {
      cwd: "/",
      env: { PATH, LANG: "C.UTF-8", HOME: process.env["HOME"] ?? "/" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, so that its children end with it
    });
    let output = "";
    const keep = (text: string): void => {
      if (output.length < OUTPUT_CHARACTERS) output += text.slice(0, OUTPUT_CHARACTERS);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const end = (problem: string | undefined): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(problem && output.trim() !== "" ? `${problem}\n${output.trim()}` : problem);
    };
    const timer = setTimeout(() => {
      killGroup(child.pid);
      end(`it did not end within ${timeLimitMs / 1000} s`);
    }, timeLimitMs);
    child.once("error", (error) => {
      end(`it cannot be started (${messageOf(error)})`);
    });
    child.once("exit", (status, signal) => {
      killGroup(child.pid); // what it left behind
      if (status === 0) {
        end(undefined);
        return;
      }
      const problem =
        status === null ? `it was ended by ${String(signal)}` : `exit status ${status}`;
      const last = setTimeout(() => end(problem), LAST_OUTPUT_MS);
      child.once("close", () => {
        clearTimeout(last);
        end(problem);
      });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // all of the group have ended
  }
}
