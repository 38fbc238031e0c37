import { createHash, randomBytes } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FuncError } from "./errors";
import { isAlive, thisProcess, type ProcessIdentity } from "./processIdentity";

/** Content of a lock file. */
interface LockOwner extends ProcessIdentity {
  host: string;
  nonce: string;
}

/** What a lock file holds: `owner` is undefined where the content is damaged. */
interface LockContent {
  owner?: LockOwner;
  /** Names this very content, to see whether it is still the same one. */
  nonce: string;
}

export interface Lock {
  /** False where the file was removed or belongs to somebody else now. */
  isHeld(): Promise<boolean>;
  /** Removes the lock file, if it still is ours. */
  release(): Promise<void>;
}

/** A claim on a claim on a claim...: each level needs one more process that died in the middle. */
const MAX_DEPTH = 5;
const REREADS = 3;
const REREAD_MS = 100;
const WITHOUT_LINKS = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"]);

/**
 * Takes the lock file at `path` for this process; undefined where another live process of this host
 * owns it. Throws FuncError "conflict" where the owner is on another host, whose processes cannot be seen
 * from here; `program` is what it names ("an overlord").
 *
 * A dead owner's file is replaced under a *claim*, a lock file of its own named after the dead
 * content: whoever holds the claim looks again before replacing, so two heirs never both inherit.
 */
export async function acquireLock(path: string, program: string): Promise<Lock | undefined> {
  const self: LockOwner = {
    ...thisProcess(),
    host: hostname(),
    nonce: randomBytes(8).toString("hex"),
  };
  if (!(await take(path, self, program, 0))) return undefined;
  await sweep(path);
  return {
    isHeld: async () => (await readLock(path))?.nonce === self.nonce,
    release: () => drop(path, self),
  };
}

/** Who owns the lock file at `path`, to name it; undefined where nobody does. */
export async function lockOwner(path: string): Promise<{ pid: number } | undefined> {
  return (await readLock(path))?.owner;
}

/** The process of this host that owns the lock file at `path` and still runs. */
export async function liveLockOwner(path: string): Promise<ProcessIdentity | undefined> {
  const owner = (await readLock(path))?.owner;
  return owner?.host === hostname() && isAlive(owner) ? owner : undefined;
}

async function take(
  path: string,
  self: LockOwner,
  program: string,
  depth: number,
): Promise<boolean> {
  if (depth > MAX_DEPTH) return false;
  for (;;) {
    if (await create(path, self)) return true;
    const current = await readSettled(path);
    if (!current) continue; // just released
    if (current.owner) {
      if (current.owner.host !== self.host) throw ownedElsewhere(path, current.owner, program);
      if (isAlive(current.owner)) return false;
    }
    const claim = `${path}.${current.nonce}`;
    const claimant: LockOwner = { ...self, nonce: randomBytes(8).toString("hex") };
    // somebody alive is replacing it at this moment
    if (!(await take(claim, claimant, program, depth + 1))) return false;
    try {
      if ((await readLock(path))?.nonce === current.nonce && (await replace(path, self)))
        return true;
    } finally {
      await drop(claim, claimant);
    }
  }
}

/** Makes the file, whole from the first moment; false where there is one. */
async function create(path: string, self: LockOwner): Promise<boolean> {
  const temporary = temporaryOf(path);
  await writeFile(temporary, JSON.stringify(self), { mode: 0o600, flag: "wx" });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (!WITHOUT_LINKS.has(code)) throw error;
    return await createWithoutLink(path, self);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** For file systems without hard links: a reader may see a part, and then reads again. */
async function createWithoutLink(path: string, self: LockOwner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(self), { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function replace(path: string, self: LockOwner): Promise<boolean> {
  const temporary = temporaryOf(path);
  await writeFile(temporary, JSON.stringify(self), { mode: 0o600, flag: "wx" });
  try {
    await rename(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return false; // a new owner swept it away
  }
}

async function drop(path: string, self: LockOwner): Promise<void> {
  if ((await readLock(path))?.nonce === self.nonce) await rm(path, { force: true });
}

/** Reads a few times where the content is damaged: it may just be written. */
async function readSettled(path: string): Promise<LockContent | undefined> {
  for (let reads = 0; ; reads++) {
    const content = await readLock(path);
    if (!content || content.owner || reads === REREADS) return content;
    await sleep(REREAD_MS);
  }
}

async function readLock(path: string): Promise<LockContent | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const owner = parseOwner(text);
  if (owner) return { owner, nonce: owner.nonce };
  return { nonce: createHash("sha256").update(text).digest("hex").slice(0, 16) };
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    const whole =
      typeof owner?.host === "string" &&
      typeof owner.bootId === "string" &&
      Number.isSafeInteger(owner.pid) &&
      typeof owner.startTime === "string" &&
      typeof owner.nonce === "string" &&
      // it becomes part of a file's name
      /^[0-9a-f]{16}$/.test(owner.nonce);
    return whole ? (owner as LockOwner) : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what starters left that were killed in the middle. A live one notices and makes its own again. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const content = await readLock(join(folder, name)).catch(() => undefined);
    if (!content?.owner || !isAlive(content.owner)) await rm(join(folder, name), { force: true });
  }
}

function ownedElsewhere(path: string, owner: LockOwner, program: string): FuncError {
  return new FuncError(
    "conflict",
    `${dirname(path)} is in use by ${program} on the host ${owner.host} (process ${owner.pid}).`,
    `Stop that one, or use another folder here. If ${owner.host} is gone for good, remove ${path}.`,
  );
}

function temporaryOf(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
