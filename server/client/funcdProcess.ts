import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { FuncError } from "../common/errors";

export interface FuncdLaunch {
  execPath: string;
  funcdScript: string;
  /** One minion each. */
  homes: readonly string[];
  /** The minions' names, in the order of `homes`. */
  names: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** A funcd with one or more minions; it ends with this process. */
export interface FuncdProcess {
  /** Absent where it could not be started. */
  readonly pid?: number;
  readonly names: readonly string[];
  /** Ports of the minions that serve already. */
  readonly ports: ReadonlyMap<string, number>;
  /** Resolves when all serve; throws FuncError "unavailable" with funcd's words, "cancelled". */
  serving(signal: AbortSignal): Promise<void>;
  /** Ends it; resolves when it is gone. */
  close(): Promise<void>;
}

const SERVES = /^funcd: (\S+) serves on \S*:(\d+)$/;
const MAX_STDERR = 8_192;
const KILL_AFTER_MS = 5_000;
/** How long after its end funcd's output may still arrive. */
const LAST_WORDS_MS = 200;

/** Starts funcd for these homes, to end when its stdin closes. */
export function startFuncd({
  execPath,
  funcdScript,
  homes,
  names,
  env,
}: FuncdLaunch): FuncdProcess {
  const ports = new Map<string, number>();
  const state: { ended?: string; stderr: string } = { stderr: "" };
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const wake of waiting) wake();
  };
  const child = spawn(
    execPath,
    [funcdScript, ...homes.flatMap((home) => ["--home", home]), "--exit-with-stdin"],
    { env: env ?? process.env, stdio: ["pipe", "pipe", "pipe"] },
  );
  child.stdin.on("error", () => undefined); // it has ended already
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    state.stderr = (state.stderr + text).slice(-MAX_STDERR);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const serves = SERVES.exec(line);
    if (!serves?.[1]) return;
    ports.set(serves[1], Number(serves[2]));
    changed();
  });
  const gone = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      state.ended ??= how;
      changed();
      resolve();
    };
    child.on("error", (error) => {
      end(error.message);
    });
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      end(signal === null ? `exit status ${code ?? 0}` : `signal ${signal}`);
    };
    // its last words are complete at "close", which a job that outlives it can hold back
    child.on("close", ended);
    child.on("exit", (code, signal) => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        ended(code, signal);
      }, LAST_WORDS_MS);
    });
  });

  return {
    ...(child.pid !== undefined && { pid: child.pid }),
    names,
    ports,
    serving: async (signal) => {
      while (ports.size < names.length) {
        if (state.ended !== undefined) throw endedEarly(names, state.ended, state.stderr);
        if (signal.aborted) throw notServing(names, ports, state.stderr);
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener("abort", wake);
        });
      }
    },
    close: async () => {
      child.stdin.end();
      const kill = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
      await gone;
      clearTimeout(kill);
    },
  };
}

function endedEarly(names: readonly string[], how: string, stderr: string): FuncError {
  return new FuncError(
    "unavailable",
    `funcd for ${namesText(names)} ended with ${how}: ${lastWords(stderr)}`,
  );
}

function notServing(
  names: readonly string[],
  ports: ReadonlyMap<string, number>,
  stderr: string,
): FuncError {
  const missing = names.filter((name) => !ports.has(name));
  return new FuncError(
    "cancelled",
    `${namesText(missing)} did not start yet: ${lastWords(stderr)}`,
  );
}

function namesText(names: readonly string[]): string {
  return names.length > 3 ? `${names[0] ?? ""} and ${names.length - 1} others` : names.join(", ");
}

/** The end of what funcd wrote to stderr. */
function lastWords(stderr: string): string {
  const words = stderr.trim().split("\n").slice(-5).join("\n");
  return words === "" ? "it said nothing." : words;
}
