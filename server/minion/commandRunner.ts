import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { XmlRpcValue } from "../wire/value";
import { answerExcess, MAX_ANSWER_BYTES, readInParts } from "./answerSize";
import { commandEnvironment } from "./commandEnvironment";
import { FUNC_EXCEPTION, MethodError } from "./methodError";
import type { CommandSpec } from "./minionModule";
import { endProcessGroup } from "./processGroup";

const WRITE_TO_FILE = `write it to a file there instead (COMMAND > FILE) and ${readInParts("FILE")}`;
/** A daemon that the command left behind may hold its output open for ever. */
const OUTPUT_AFTER_EXIT_MS = 2_000;

/**
 * Runs a command in the host's shell and answers `[rc, stdout, stderr]`; rc is negative where a
 * signal ended it. `signal` ends its whole process group. Throws MethodError where it writes more than
 * `maxBytes` to one of its outputs (the command is ended then), where its outputs together are more than an
 * answer carries, or where it cannot be started.
 */
export async function runCommand(
  { command, env }: CommandSpec,
  signal: AbortSignal,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<XmlRpcValue> {
  const child: ChildProcess = spawn("/bin/sh", ["-c", command], {
    cwd: "/",
    detached: true,
    env: commandEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (): void => {
    if (child.pid !== undefined) endProcessGroup(child.pid);
  };
  const ended = exitOf(child);
  const outputs = [collect(child.stdout, maxBytes, stop), collect(child.stderr, maxBytes, stop)];
  const onAbort = (): void => {
    stop();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) stop();
  try {
    const rc = await ended;
    if (outputs.some(({ tooMuch }) => tooMuch())) {
      throw new MethodError(
        FUNC_EXCEPTION,
        `the command was ended because it wrote more than ${maxBytes} bytes of output; ${WRITE_TO_FILE}`,
      );
    }
    const bytes = outputs.map((output) => output.bytes());
    const value = [rc, ...outputs.map(({ text }) => text())];
    const excess = answerExcess(value, (bytes[0] ?? 0) + (bytes[1] ?? 0));
    if (excess !== undefined) {
      throw new MethodError(
        FUNC_EXCEPTION,
        `the command ended with ${rc} and wrote ${bytes.join(" and ")} bytes, which make an answer of ${excess}, more than the ${MAX_ANSWER_BYTES} that are read; ${WRITE_TO_FILE}`,
      );
    }
    return value;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface Collected {
  bytes: () => number;
  /** To be asked once: it lets go of what was collected. */
  text: () => string | Uint8Array;
  tooMuch: () => boolean;
}

/** `stream` is null where the command could not be started for want of file descriptors. */
function collect(stream: Readable | null, maxBytes: number, stop: () => void): Collected {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    const before = bytes;
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else if (before <= maxBytes) stop();
  });
  stream?.on("error", () => undefined); // a broken pipe ends like a closed one
  return {
    bytes: () => bytes,
    text: () => textOf(Buffer.concat(chunks.splice(0))),
    tooMuch: () => bytes > maxBytes,
  };
}

/** Settles with the return code once the command has ended and its outputs are read. */
function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let waiting: NodeJS.Timeout | undefined;
    const done = (code: number | null, name: NodeJS.Signals | null): void => {
      clearTimeout(waiting);
      resolve(code ?? -signalNumber(name));
    };
    child.once("error", (error) => {
      clearTimeout(waiting);
      reject(error);
    });
    child.once("close", done);
    child.once("exit", (code, name) => {
      waiting = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        done(code, name);
      }, OUTPUT_AFTER_EXIT_MS);
    });
  });
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === null ? 0 : constants.signals[name];
}

/** Output as text where it is valid UTF-8, else the bytes. */
export function textOf(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}
