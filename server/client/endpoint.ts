import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FuncError, messageOf } from "../common/errors";
import type { ClientHello, ClientKind, EndpointFile, OverlordHello } from "../protocol/overlord";
import { checkOverlordHello, createClientHello } from "./hello";
import {
  EXIT_ALREADY_RUNNING,
  startOverlord,
  type OverlordLaunch,
  type StartedOverlord,
} from "./overlordProcess";

const START_TIMEOUT_MS = 20_000;
const FIRST_POLL_MS = 25;
const SLOWEST_POLL_MS = 250;
/** Another overlord won the start but is not there: after this long, it probably died. */
const START_AGAIN_MS = 1_000;

export interface OverlordOptions {
  /** Absolute path, see dataDirectory(). */
  dataDirectory: string;
  kind: ClientKind;
  /** Version of the client program. */
  version: string;
  launch: OverlordLaunch;
  /** Start an overlord where none runs (default), or throw FuncError "not-found". */
  start?: boolean;
  /** Limit for start and connection together; default 20 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A connected socket on which nothing was sent yet. */
export interface OverlordSocket {
  socket: Socket;
  /** `initializationOptions` for `initialize`, which has to be the first request. */
  hello: ClientHello;
  /** Takes the answer to `initialize`; throws FuncError where the overlord is not who it should be. */
  checkHello(answer: unknown): OverlordHello;
}

/**
 * Connects to the overlord of a data directory; starts it where none runs. Throws FuncError
 * "unavailable" with the overlord's own words where it cannot start, "not-found" where none runs and
 * none may be started, "cancelled".
 */
export async function openOverlordSocket(options: OverlordOptions): Promise<OverlordSocket> {
  const deadline = Date.now() + (options.timeoutMs ?? START_TIMEOUT_MS);
  let started: StartedOverlord | undefined;
  let startedAt = 0;
  let problem = "";
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(SLOWEST_POLL_MS, wait * 1.5)) {
    throwIfCancelled(options.signal);
    const endpoint = await readEndpoint(options.dataDirectory);
    const socket = endpoint && (await tryConnect(endpoint.path, deadline, options.signal));
    throwIfCancelled(options.signal, socket);
    if (endpoint && socket) return present(socket, endpoint, options);

    if (options.start === false) {
      throw new FuncError(
        "not-found",
        `No overlord runs for ${options.dataDirectory}.`,
        "Open the Func view or run any func command: the first one starts it.",
      );
    }
    if (started?.exitCode !== undefined && started.exitCode !== EXIT_ALREADY_RUNNING) {
      problem = await started.lastWords();
      // an overlord that ended well by itself (told to stop as it began) is simply started again
      if (started.exitCode !== 0) throw cannotStart(options.dataDirectory, problem);
      started = undefined;
    }
    if (Date.now() > deadline) {
      throw cannotStart(options.dataDirectory, problem || "it did not answer in time.");
    }
    const lost = started?.exitCode === EXIT_ALREADY_RUNNING;
    if (!started || (lost && Date.now() - startedAt > START_AGAIN_MS)) {
      started = startOverlord(options.dataDirectory, options.launch);
      startedAt = Date.now();
    }
    await sleep(wait);
  }
}

function present(socket: Socket, endpoint: EndpointFile, options: OverlordOptions): OverlordSocket {
  const hello = createClientHello(endpoint.secret, options.kind, options.version);
  return {
    socket,
    hello,
    checkHello: (answer) => checkOverlordHello(answer, endpoint.secret, hello),
  };
}

function cannotStart(dataDirectory: string, problem: string): FuncError {
  return new FuncError(
    "unavailable",
    `The overlord cannot start: ${problem || "it ended without a word."}`,
    `Look into ${join(dataDirectory, "overlord.log")}, correct the cause and try again.`,
  );
}

function throwIfCancelled(signal: AbortSignal | undefined, socket?: Socket): void {
  if (!signal?.aborted) return;
  socket?.destroy();
  throw new FuncError("cancelled", "Connecting to the overlord was cancelled.");
}

/** The endpoint of a running overlord, or what a dead one left; undefined where there is none. */
async function readEndpoint(dataDirectory: string): Promise<EndpointFile | undefined> {
  const file = join(dataDirectory, "endpoint");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") {
      throw new FuncError(
        "unavailable",
        `The overlord's data directory ${dataDirectory} is no folder.`,
        "Set FUNC_HOME (or the setting func.home) to a folder that you can write to.",
      );
    }
    throw new FuncError(
      "unavailable",
      `${file} cannot be read: ${messageOf(error)}`,
      "The overlord of this data directory belongs to another user, or the folder is damaged.",
    );
  }
  try {
    const endpoint = JSON.parse(text) as Partial<EndpointFile> | null;
    // an empty path or one with a zero byte makes connect() throw
    const usable = typeof endpoint?.path === "string" && /^[^\0]+$/.test(endpoint.path);
    if (usable && typeof endpoint.secret === "string") {
      return endpoint as EndpointFile;
    }
  } catch {
    // written atomically, so this is damage of another kind; the next overlord replaces it
  }
  return undefined;
}

/** A connected socket, or undefined where nobody listens. */
async function tryConnect(
  path: string,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const give = (result: Socket | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      socket.removeAllListeners();
      if (!result) socket.destroy();
      // errors of a socket that nobody listens to would end the process
      socket.on("error", () => undefined);
      resolve(result);
    };
    const stop = (): void => {
      give(undefined);
    };
    const timer = setTimeout(stop, Math.max(100, deadline - Date.now()));
    signal?.addEventListener("abort", stop);
    socket.once("connect", () => {
      give(socket);
    });
    socket.once("error", stop);
  });
}
