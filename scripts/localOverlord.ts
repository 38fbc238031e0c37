import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connectOverlord, type OverlordConnection } from "../server/client/connection";
import { startLocalFleet, type LocalFleet } from "../server/client/localFleet";
import { stopOverlord } from "../server/client/stopOverlord";
import { writeFileAtomic } from "../server/common/atomicFile";

declare const __VERSION__: string;

/** dist/: the scripts are bundled into dist/dev. */
export const dist = resolve(__dirname, "..");
/** The project's folder. */
export const root = resolve(dist, "..");

/** An overlord with minions, all on this machine, in one data directory. */
export interface LocalOverlord {
  home: string;
  fleet: LocalFleet;
  /** Stops minions and overlord, and removes the data directory where it was temporary. */
  close(): Promise<void>;
}

export interface LocalOverlordOptions {
  size: number;
  /** Default: a temporary one. */
  home?: string;
  signal: AbortSignal;
  onProgress?: (message: string) => void;
}

/** Starts minions and the overlord that knows them; nothing is left behind where that fails. */
export async function startLocalOverlord(options: LocalOverlordOptions): Promise<LocalOverlord> {
  const { size, signal, onProgress } = options;
  const temporary = options.home === undefined;
  const home = options.home ? resolve(options.home) : await mkdtemp(join(tmpdir(), "func-"));
  const target = {
    dataDirectory: home,
    kind: "library" as const,
    version: __VERSION__,
    launch: { execPath: process.execPath, script: join(dist, "overlord.js") },
  };
  let connection: OverlordConnection | undefined;
  let fleet: LocalFleet | undefined;
  const close = async (): Promise<void> => {
    await fleet?.close();
    connection?.dispose();
    await stopOverlord(target, true);
    if (temporary) await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const configuration = join(home, "overlord.yaml");
    if (!existsSync(configuration)) {
      await writeFileAtomic(configuration, 'certmaster:\n  listen: "127.0.0.1:0"\n');
    }
    connection = await connectOverlord({ ...target, signal });
    fleet = await startLocalFleet({
      connection,
      size,
      home,
      funcdScript: join(dist, "funcd.js"),
      execPath: process.execPath,
      signal,
      ...(onProgress && { onProgress }),
    });
    return { home, fleet, close };
  } catch (error) {
    await close();
    throw error;
  }
}
