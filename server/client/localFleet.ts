import { setMaxListeners } from "node:events";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { makeFolders } from "../common/makeFolders";
import type { OverlordConnection } from "./connection";
import { followCall } from "./followJob";
import { startFuncd, type FuncdProcess } from "./funcdProcess";

export interface LocalFleetOptions {
  connection: OverlordConnection;
  /** Number of minions, named `<prefix>1` to `<prefix>N`; or else their names. */
  size: number | readonly string[];
  /** Data directories of the overlords that some of them are to have, by name. */
  subOverlords?: ReadonlyMap<string, string>;
  /** Minions of one process; by default each has its own, unless they are many. */
  perProcess?: number;
  /** Minions live in `<home>/minions/<name>`; those of an earlier fleet are used again. */
  home: string;
  funcdScript: string;
  /** The Node to run it with. */
  execPath: string;
  env?: NodeJS.ProcessEnv;
  /** Default "minion". */
  namePrefix?: string;
  signal?: AbortSignal;
  onProgress?: (message: string) => void;
}

export interface LocalFleet {
  names: string[];
  /** Stops one minion, with those that share its process. */
  stop(name: string): Promise<void>;
  /** Stops all; resolves when every process is gone. The minions' folders stay. */
  close(): Promise<void>;
}

/** Up to this many minions have a process each; more of them share processes, for memory's sake. */
const MAX_SINGLE_PROCESSES = 25;
const MINIONS_PER_PROCESS = 50;
/** The certmaster takes 64 connections at a time and refuses more. */
const MAX_ENROLLING = 60;
const MAX_SIZE = 5_000;
/** Requests and files under way at the same time. */
const CONCURRENCY = 16;
/** Enrolment and the start of Node on a slow machine, and what each minion adds to it. */
const START_TIMEOUT_MS = 30_000;
const START_TIMEOUT_PER_MINION_MS = 200;
const PING_TIMEOUT_MS = 10_000;
/** Tokens outlive the slowest start of a big fleet. */
const TOKEN_TTL_MS = 20 * 60_000;

/**
 * Starts minions on this machine, enrols the new ones and resolves when all of them answer.
 * They end with this process, however it ends. Throws FuncError "unavailable" with funcd's own words,
 * "timed-out", "cancelled"; nothing is left running then.
 */
export async function startLocalFleet(options: LocalFleetOptions): Promise<LocalFleet> {
  const { namePrefix = "minion", onProgress = () => undefined } = options;
  const size = typeof options.size === "number" ? options.size : options.size.length;
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new FuncError("bad-argument", `A fleet has 1 to ${MAX_SIZE} minions, not ${size}.`);
  }
  const names =
    typeof options.size === "number"
      ? Array.from({ length: size }, (_, index) => `${namePrefix}${index + 1}`)
      : [...options.size];
  const timeoutMs = START_TIMEOUT_MS + size * START_TIMEOUT_PER_MINION_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any(options.signal ? [deadline, options.signal] : [deadline]);
  setMaxListeners(0, signal); // bounded by CONCURRENCY and the number of processes
  const processes: FuncdProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.close()));
  };
  try {
    onProgress(`preparing ${size} minions`);
    const fresh = await prepareHomes(options, names, signal);
    onProgress(`starting ${size} minions`);
    await startProcesses(options, names, fresh, processes, signal);
    await correctPorts(options, processes, signal);
    onProgress(`waiting for ${size} answers`);
    await pingAll(options.connection, names, signal);
  } catch (error) {
    await close();
    throw explain(error, options.signal, deadline, timeoutMs);
  }
  return {
    names,
    close,
    stop: async (name) => {
      await processes.find((process) => process.names.includes(name))?.close();
    },
  };
}

/** Starts a process for each group and resolves when all serve; `processes` gets them at once. */
async function startProcesses(
  { home, execPath, funcdScript, env, perProcess }: LocalFleetOptions,
  names: readonly string[],
  fresh: ReadonlySet<string>,
  processes: FuncdProcess[],
  signal: AbortSignal,
): Promise<void> {
  let enrolling = 0;
  const serving: Promise<void>[] = [];
  for (const group of groups(names, perProcess)) {
    const news = group.filter((name) => fresh.has(name)).length;
    while (enrolling > 0 && enrolling + news > MAX_ENROLLING) await Promise.race(serving);
    const homes = group.map((name) => minionHome(home, name));
    const process = startFuncd({ execPath, funcdScript, homes, names: group, env });
    processes.push(process);
    enrolling += news;
    const done = process.serving(signal).then(() => {
      enrolling -= news;
      void serving.splice(serving.indexOf(done), 1);
    });
    serving.push(done);
  }
  await Promise.all(serving);
}

function groups(
  names: readonly string[],
  perProcess = names.length <= MAX_SINGLE_PROCESSES ? 1 : MINIONS_PER_PROCESS,
): string[][] {
  const result: string[][] = [];
  for (let at = 0; at < names.length; at += perProcess) {
    result.push(names.slice(at, at + perProcess));
  }
  return result;
}

function minionHome(home: string, name: string): string {
  return join(home, "minions", name);
}

/** New minions get a fresh folder with a join token, and are given back; the others get a free port. */
async function prepareHomes(
  { connection, home, subOverlords }: LocalFleetOptions,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const records = await connection.request("minions/list", {}, { signal });
  const known = new Set(records.map(({ name }) => name));
  const enrolled = await Promise.all(
    names.map(async (name) => known.has(name) && (await isEnrolled(minionHome(home, name)))),
  );
  const fresh = names.filter((_, index) => !enrolled[index]);
  const stale = fresh.filter((name) => known.has(name));
  // their certificates are gone with their folders: the names have to be free to enrol again
  if (stale.length > 0) await connection.request("minions/forget", { names: stale }, { signal });
  await forEachAtOnce(fresh, async (name) => {
    const folder = minionHome(home, name);
    await rm(folder, { recursive: true, force: true });
    await makeFolders(folder);
    const { token } = await connection.request(
      "certmaster/createToken",
      { nameGlob: name, ttlMs: TOKEN_TTL_MS, addresses: ["127.0.0.1"] },
      { signal },
    );
    await writeFile(join(folder, "join-token"), `${token}\n`, { mode: 0o600 });
  });
  await forEachAtOnce(names, async (name) => {
    // JSON is YAML; port 0, since an earlier port may be taken by now
    const config = {
      name,
      listen: { host: "127.0.0.1", port: 0 },
      announce: "127.0.0.1",
      ...(subOverlords?.has(name) && { sub_overlord: { home: subOverlords.get(name) } }),
    };
    await writeFileAtomic(
      join(minionHome(home, name), "minion.yaml"),
      `${JSON.stringify(config, null, 2)}\n`,
    );
  });
  return new Set(fresh);
}

async function isEnrolled(folder: string): Promise<boolean> {
  return (await exists(join(folder, "minion.yaml"))) && !(await exists(join(folder, "join-token")));
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Tells the overlord the ports of minions that it knew under others. */
async function correctPorts(
  { connection }: LocalFleetOptions,
  processes: readonly FuncdProcess[],
  signal: AbortSignal,
): Promise<void> {
  const records = await connection.request("minions/list", {}, { signal });
  const moved = records.flatMap(({ name, port }) => {
    const now = processes.map((process) => process.ports.get(name)).find(Boolean);
    return now === undefined || now === port ? [] : [{ name, port: now }];
  });
  await forEachAtOnce(moved, async (minion) => {
    await connection.request("minions/edit", minion, { signal });
  });
}

/** Pings until all have answered; only those that have not are asked again. */
async function pingAll(
  connection: OverlordConnection,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  let silent = [...names];
  for (;;) {
    const still: string[] = [];
    const params = {
      spec: silent.join(";"),
      module: "test",
      method: "ping",
      args: [],
      timeoutMs: PING_TIMEOUT_MS,
      background: true,
    };
    let reason = "";
    await followCall(connection, params, {
      signal,
      onResult: ({ minion, state, error }) => {
        if (state === "succeeded") return;
        still.push(minion);
        reason = error?.message ?? state;
      },
    });
    if (still.length === 0) return;
    if (still.length === silent.length) {
      throw new FuncError("unreachable", `${still.length} local minions do not answer: ${reason}`);
    }
    silent = still;
  }
}

async function forEachAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items].reverse();
  const worker = async (): Promise<void> => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

function explain(
  error: unknown,
  cancelled: AbortSignal | undefined,
  deadline: AbortSignal,
  timeoutMs: number,
): unknown {
  if (cancelled?.aborted) return new FuncError("cancelled", "Starting the minions was cancelled.");
  if (deadline.aborted) {
    return new FuncError(
      "timed-out",
      `The local minions did not all answer within ${timeoutMs / 1000} s. ${messageOf(error)}`,
    );
  }
  return error;
}
