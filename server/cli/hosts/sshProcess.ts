import { spawn } from "node:child_process";
import { FuncError } from "../../common/errors";

/** How a run of ssh ended. */
export interface SshRun {
  /** Exit status; 255 is ssh's own; null where a signal ended it. */
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface SshRunOptions {
  input?: string | Buffer;
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Reports of a host are a few kilobytes; whatever a login prints besides is cut. */
const MAX_STDOUT = 1024 * 1024;
const MAX_STDERR = 256 * 1024;
/** A connection that ssh keeps open for the next run may hold the streams. */
const LAST_WORDS_MS = 1_000;
const KILL_AFTER_MS = 2_000;

/**
 * Runs the system's ssh, which asks for passwords and unknown host keys on the terminal itself. Throws FuncError
 * "timed-out", "cancelled", "too-large", "not-found" where there is no ssh.
 */
export function runSsh(args: readonly string[], options: SshRunOptions): Promise<SshRun> {
  const { input, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    // messages in one language: they decide on what is told to the user
    const env = { ...process.env, LC_ALL: "C" };
    const child = spawn("ssh", args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const run = { stdout: "", stderr: "" };
    let problem: FuncError | undefined;
    const stop = (error: FuncError): void => {
      problem ??= error;
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref();
    };
    const timer = setTimeout(() => {
      stop(new FuncError("timed-out", `ssh has not ended within ${timeoutMs / 1000} s.`));
    }, timeoutMs);
    const abort = (): void => {
      stop(new FuncError("cancelled", "Cancelled."));
    };
    signal?.addEventListener("abort", abort, { once: true });
    const end = (status: number | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      child.stdout.destroy();
      child.stderr.destroy();
      if (problem) reject(problem);
      else resolve({ status, ...run });
    };
    child.stdin.on("error", () => undefined); // what ended early tells why by itself
    child.stdin.end(input ?? "");
    const collect = (name: "stdout" | "stderr", limit: number): void => {
      const stream = child[name];
      stream.setEncoding("utf8").on("data", (text: string) => {
        run[name] += text;
        if (run[name].length <= limit) return;
        stream.destroy();
        const what = `The host prints far more than it was asked for (over ${limit / 1024} KiB).`;
        stop(new FuncError("too-large", what, "Look at what a login prints there: ssh HOST true"));
      });
    };
    collect("stdout", MAX_STDOUT);
    collect("stderr", MAX_STDERR);
    child.once("error", (error: NodeJS.ErrnoException) => {
      problem ??=
        error.code === "ENOENT"
          ? new FuncError("not-found", "There is no ssh here.", "Install the OpenSSH client.")
          : new FuncError("unavailable", `ssh cannot be run: ${error.message}`);
      end(null);
    });
    child.once("close", end);
    child.once("exit", (status) => {
      setTimeout(() => {
        end(status);
      }, LAST_WORDS_MS).unref();
    });
    if (signal?.aborted) abort();
  });
}
