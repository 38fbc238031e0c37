import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** What VS Code is started with. */
export interface CodeLaunch {
  /** Its own temporary folder, removed by the caller. */
  folder: string;
  /** The folder to open. */
  workspace: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  onProgress: (message: string) => void;
}

/** A running VS Code. */
export interface RunningCode {
  /** Where the user finds it: an address or "its own window". */
  where: string;
  /** Resolves when it has ended by itself. */
  ended: Promise<void>;
  /** Ends it with everything that it started. */
  stop: () => Promise<void>;
}

const TERM_TIMEOUT_MS = 3_000;

/** A process that leads a group of its own, so that everything it starts can be ended with it. */
export interface GroupLeader {
  child: ChildProcess;
  ended: Promise<void>;
  stop: () => Promise<void>;
}

export function startGroup(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): GroupLeader {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = new Promise<void>((resolve) => {
    child.on("error", () => {
      resolve();
    });
    child.on("exit", () => {
      resolve();
    });
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // the whole group is gone
    }
  };
  process.once("exit", () => {
    kill("SIGKILL");
  });
  const stop = async (): Promise<void> => {
    kill("SIGTERM");
    await Promise.race([ended, delay(TERM_TIMEOUT_MS)]);
    kill("SIGKILL");
    await ended;
  };
  return { child, ended, stop };
}

/** The environment for a VS Code that must not think that it belongs to the one this runs in. */
export function codeEnvironment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|CODE_SERVER_)/.test(name) || name.startsWith("VSCODE_E2E_"),
  );
  return { ...Object.fromEntries(own), ...more };
}
