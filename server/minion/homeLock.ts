import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { FuncError } from "../common/errors";
import { identifyProcess, isAlive, type ProcessIdentity } from "./processIdentity";

interface LockOwner extends ProcessIdentity {
  host: string;
}

const MAX_ATTEMPTS = 5;

/**
 * Makes this process the only funcd of a home; the answer gives it back. A lock whose owner is gone
 * is replaced. Throws FuncError "conflict" where another funcd has it.
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  const file = join(home, "lock");
  const own = JSON.stringify({ host: hostname(), ...identifyProcess(process.pid) });
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, own, { mode: 0o600, flag: "wx" });
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await tryLink(temporary, file)) {
        return async () => {
          await rm(file, { force: true });
        };
      }
      await removeStale(home, file);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  throw new FuncError("conflict", `${file} keeps changing hands: several funcd start at ${home}`);
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to); // unlike a write, it shows the lock only with its content
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function removeStale(home: string, file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  refuseLive(home, file, text);
  // another funcd may do the same now: what is taken away has to be what was judged
  const aside = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(file, aside);
  } catch {
    return; // it is gone already
  }
  const taken = await readFile(aside, "utf8");
  if (taken !== text) await tryLink(aside, file);
  await rm(aside, { force: true });
}

function refuseLive(home: string, file: string, text: string): void {
  const owner = parseOwner(text);
  if (!owner) return;
  if (owner.host !== hostname()) {
    throw new FuncError(
      "conflict",
      `${home} is in use by the funcd on ${owner.host} (process ${owner.pid})`,
      `Where that one is gone for good, remove ${file}.`,
    );
  }
  if (isAlive(owner)) {
    throw new FuncError(
      "conflict",
      `${home} is in use by another funcd (process ${owner.pid})`,
      "Stop that one, or give another folder with --home.",
    );
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    const { host, bootId, pid, startTime } = owner ?? {};
    if (typeof host !== "string" || typeof bootId !== "string") return undefined;
    if (typeof pid !== "number" || typeof startTime !== "string") return undefined;
    return { host, bootId, pid, startTime };
  } catch {
    return undefined;
  }
}
