import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FuncError } from "../common/errors";
import { liveLockOwner } from "../common/lockFile";
import { isAlive } from "../common/processIdentity";
import { identityOf } from "../pki/certificates/identity";
import { readConfiguration } from "./configuration";
import { readCredentials } from "./minionCredentials";

/** What can be said of a minion from its home alone. */
export interface FuncdStatus {
  home: string;
  name?: string;
  /** Where it listens, HOST:PORT. */
  listen?: string;
  /** hex SHA-256 of the public key; absent while it is not enrolled. */
  keyFingerprint?: string;
  certificateNotAfterMs?: number;
  /** The process that serves it at this moment. */
  pid?: number;
}

const STOP_TIMEOUT_MS = 10_000;
const STOP_POLL_MS = 50;

/** Throws FuncError "bad-data" where its files are damaged. */
export async function funcdStatus(home: string): Promise<FuncdStatus> {
  const { name, listen } = await readConfiguration(join(home, "minion.yaml"));
  const credentials = await readCredentials(join(home, "pki"));
  const certificate = credentials && new X509Certificate(credentials.certificate);
  const owner = await liveLockOwner(join(home, "lock"));
  const shownName = credentials?.name ?? name;
  return {
    home,
    ...(shownName !== undefined && { name: shownName }),
    ...(listen && { listen: `${listen.host}:${listen.port}` }),
    ...(certificate && {
      keyFingerprint: identityOf(certificate)?.keyFingerprint,
      certificateNotAfterMs: Date.parse(certificate.validTo),
    }),
    ...(owner && { pid: owner.pid }),
  };
}

/**
 * Ends the funcd that serves this home; jobs that it started go on. False where none runs. Throws FuncError
 * "timed-out", or "denied" where it is another user's.
 */
export async function stopFuncd(home: string): Promise<boolean> {
  const owner = await liveLockOwner(join(home, "lock"));
  if (!owner) return false;
  try {
    process.kill(owner.pid, "SIGTERM");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw new FuncError(
      "denied",
      `The funcd of ${home} (process ${owner.pid}) belongs to another user.`,
      "Stop it as that user, or as root.",
    );
  }
  const untilMs = Date.now() + STOP_TIMEOUT_MS;
  while (isAlive(owner)) {
    if (Date.now() > untilMs) {
      throw new FuncError(
        "timed-out",
        `The funcd of ${home} (process ${owner.pid}) has not ended within ${STOP_TIMEOUT_MS / 1000} s.`,
        `Look what it does, or end it with: kill -9 ${owner.pid}`,
      );
    }
    await sleep(STOP_POLL_MS);
  }
  return true;
}
