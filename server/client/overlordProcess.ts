import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import { makeFoldersSync } from "../common/makeFolders";

/** How to run the overlord: `execPath` is a Node (or Electron, with ELECTRON_RUN_AS_NODE in `env`). */
export interface OverlordLaunch {
  execPath: string;
  script: string;
  env?: Record<string, string>;
}

/** Exit code of an overlord that found another one owning the data directory. */
export const EXIT_ALREADY_RUNNING = 3;

/** Longest part of the log that is read for the overlord's last words. */
const LOG_TAIL_BYTES = 16_384;

/** Variables that belong to the program that starts it and would bend a Node that outlives that program. */
const NOT_INHERITED = /^(?:VSCODE_|ELECTRON_|NODE_|npm_|CHROME_|GDK_|APPIMAGE)/i;

/** An overlord process that was started, and how it ended if it did. */
export interface StartedOverlord {
  /** Exit code; null where a signal ended it; undefined while it runs. */
  exitCode: number | null | undefined;
  /** Its last words: errors it wrote since it was started, or the end of what it wrote. */
  lastWords(): Promise<string>;
}

/**
 * Starts an overlord for `dataDirectory` that outlives this process. What Node itself says goes to
 * `<data>/overlord.log`. Throws FuncError "unavailable" where it cannot be run at all.
 */
export function startOverlord(dataDirectory: string, launch: OverlordLaunch): StartedOverlord {
  const file = join(dataDirectory, "overlord.log");
  let log: number;
  try {
    makeFoldersSync(dataDirectory);
    log = openSync(file, "a", 0o600);
  } catch (error) {
    throw new FuncError(
      "unavailable",
      `The overlord's data directory ${dataDirectory} cannot be used: ${messageOf(error)}`,
      "Set FUNC_HOME (or the setting func.home) to a folder that you can write to.",
    );
  }
  const started: StartedOverlord = { exitCode: undefined, lastWords: () => Promise.resolve("") };
  try {
    const logSize = fstatSync(log).size;
    const child = spawn(launch.execPath, [launch.script, "--home", dataDirectory], {
      detached: true,
      windowsHide: true,
      cwd: dataDirectory,
      stdio: ["ignore", "ignore", log],
      env: { ...inherited(process.env), ...launch.env },
    });
    let failure: string | undefined;
    child.once("error", (error) => {
      failure = messageOf(error);
      started.exitCode = null;
    });
    child.once("exit", (code) => (started.exitCode = code));
    child.unref();
    started.lastWords = async () => failure ?? (await wordsSince(file, logSize, child.pid));
  } finally {
    closeSync(log);
  }
  return started;
}

function inherited(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.test(name)));
}

async function wordsSince(file: string, start: number, pid: number | undefined): Promise<string> {
  const text = await readTail(file, start).catch(() => "");
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  for (const line of lines.toReversed()) {
    const entry = parseEntry(line);
    if (entry?.level !== "error" || entry.pid !== pid || !entry.message) continue;
    return [entry.message, entry.nextStep].filter(Boolean).join(" ");
  }
  // a Node that could not even load the script writes plain text, its reason in a line "Error: ..."
  const plain = lines.filter((line) => parseEntry(line) === undefined);
  return (plain.find((line) => /^\w*Error\b/.test(line)) ?? plain.at(-1) ?? "").slice(0, 500);
}

async function readTail(file: string, start: number): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    // smaller than before: it was rotated meanwhile
    const from = Math.max(size < start ? 0 : start, size - LOG_TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function parseEntry(
  line: string,
): { level?: string; message?: string; nextStep?: string; pid?: number } | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? entry : undefined;
  } catch {
    return undefined;
  }
}
