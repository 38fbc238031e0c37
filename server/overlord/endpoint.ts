import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { readFile, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import type { EndpointFile } from "../protocol/overlord";

/** Socket paths are cut silently at about 107 bytes (104 on macOS). */
const MAX_SOCKET_PATH_BYTES = 99;
/** Clients that may wait to be accepted while the overlord is at work; more are refused by the system. */
const BACKLOG = 1_024;

export interface Endpoint {
  /** Removes the socket and the endpoint file. */
  remove(): Promise<void>;
}

/**
 * Listens on a private socket for the data directory and tells clients of it by `<data>/endpoint`.
 * To be called by the owner of the lock only: what a dead predecessor left is removed.
 */
export async function openEndpoint(
  dataDirectory: string,
  server: Server,
  version: string,
  /** Told before the first client can come. */
  onSecret: (secret: string) => void,
): Promise<Endpoint> {
  const file = join(dataDirectory, "endpoint");
  await removePredecessor(file);
  const secret = randomBytes(32).toString("hex");
  onSecret(secret);
  const name = createHash("sha256").update(dataDirectory).digest("hex").slice(0, 12);
  const random = randomBytes(6).toString("hex");
  const path =
    process.platform === "win32"
      ? `\\\\.\\pipe\\func-${name}-${random}${random}`
      : socketPath(name, random);
  await listen(server, path);
  if (process.platform !== "win32") chmodSync(path, 0o600);
  const content: EndpointFile = { path, secret, pid: process.pid, version };
  await writeFileAtomic(file, JSON.stringify(content), 0o600);
  return {
    remove: async () => {
      await rm(file, { force: true });
      removeSocket(path);
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, backlog: BACKLOG }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

/** A free path in the first folder that is private and short enough; removes this name's old sockets there. */
function socketPath(name: string, random: string): string {
  const user = process.getuid?.() ?? 0;
  const runtime = process.env.XDG_RUNTIME_DIR;
  const folders = [
    ...(runtime ? [join(runtime, "func")] : []),
    join(tmpdir(), `func-${user}`),
    `/tmp/func-${user}`,
  ];
  for (const folder of folders) {
    const path = join(folder, `${name}-${random}`);
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES || !isPrivateFolder(folder, user)) continue;
    for (const old of readdirSync(folder)) {
      if (old.startsWith(`${name}-`)) rmSync(join(folder, old), { force: true });
    }
    return path;
  }
  for (const parent of [tmpdir(), "/tmp"]) {
    if (Buffer.byteLength(join(parent, "func-123456", `${name}-${random}`)) > MAX_SOCKET_PATH_BYTES)
      continue;
    return join(mkdtempSync(join(parent, "func-")), `${name}-${random}`);
  }
  throw new FuncError(
    "unavailable",
    `There is no folder for the overlord's socket: the path of ${tmpdir()} is too long.`,
    "Set XDG_RUNTIME_DIR or TMPDIR to a private folder with a short path.",
  );
}

/** Makes the folder where it is missing; false where it is not this user's alone. */
function isPrivateFolder(folder: string, user: number): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) return false;
  }
  try {
    const stats = lstatSync(folder);
    return stats.isDirectory() && stats.uid === user && (stats.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

async function removePredecessor(file: string): Promise<void> {
  try {
    const old = JSON.parse(await readFile(file, "utf8")) as Partial<EndpointFile> | null;
    if (typeof old?.path === "string" && process.platform !== "win32") removeSocket(old.path);
  } catch (error) {
    if (error instanceof SyntaxError) return; // damaged: is written anew
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw new FuncError("unavailable", `${file} cannot be read: ${messageOf(error)}`);
  }
}

/** Removes a socket (nothing else), and its folder if that was made for it alone. */
function removeSocket(path: string): void {
  if (process.platform === "win32") return; // a pipe goes with its process
  try {
    if (lstatSync(path).isSocket()) rmSync(path);
  } catch {
    // gone already
  }
  const folder = dirname(path);
  if (!/^func-[A-Za-z0-9]{6}$/.test(basename(folder))) return;
  try {
    rmdirSync(folder);
  } catch {
    // not empty, or gone
  }
}
