import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connectOverlord, type OverlordConnection } from "../server/client/connection";
import { startLocalFleet, type LocalFleet } from "../server/client/localFleet";
import { stopOverlord } from "../server/client/stopOverlord";
import { writeFileAtomic } from "../server/common/atomicFile";
import { planTree, type Site } from "./localTree";

declare const __VERSION__: string;

/** dist/: the scripts are bundled into dist/dev. */
export const dist = resolve(__dirname, "..");
/** The project's folder. */
export const root = resolve(dist, "..");

/** An overlord with minions and sub-overlords, all on this machine. */
export interface LocalOverlord {
  /** The data directory of the overlord at the top. */
  home: string;
  /** All minions, sub-overlords included. */
  names: string[];
  /** The data directory of each sub-overlord, by its name as a minion; from the top down. */
  subOverlords: Map<string, string>;
  /** Stops the funcd of one minion, with those that share its process. */
  stop(name: string): Promise<void>;
  /** Stops minions and overlords, and removes the data directory where it was temporary. */
  close(): Promise<void>;
}

export interface LocalOverlordOptions {
  /** How many stand below each, tier by tier: [3] is three minions, [2, 3] two sub-overlords with three each. */
  tiers: readonly number[];
  /** Minions directly below the top besides. */
  direct?: number;
  /** Default: a temporary one. */
  home?: string;
  signal: AbortSignal;
  onProgress?: (message: string) => void;
}

/** So many overlords with their minions are started at the same time. */
const SITES_AT_ONCE = 3;
/** From so many minions on, those of one sub-overlord share a process. */
const MANY = 25;

/**
 * Starts minions, the overlords that know them and sub-overlords, and builds the delegation map; nothing is left
 * behind where that fails.
 */
export async function startLocalOverlord(options: LocalOverlordOptions): Promise<LocalOverlord> {
  const temporary = options.home === undefined;
  const home = options.home ? resolve(options.home) : await mkdtemp(join(tmpdir(), "func-"));
  const sites = planTree(home, options.tiers, options.direct);
  const fleets: LocalFleet[] = [];
  const close = async (): Promise<void> => {
    // those that would start an overlord again go first
    await Promise.all(fleets.map((fleet) => fleet.close()));
    await Promise.all(sites.map((site) => stopOverlord(targetOf(site), true)));
    if (temporary) await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const rest = sites.values();
    const worker = async (): Promise<void> => {
      for (const site of rest) fleets.push(await startSite(site, sites.length > 1, options));
    };
    const settled = await Promise.allSettled(Array.from({ length: SITES_AT_ONCE }, worker));
    for (const one of settled) if (one.status === "rejected") throw one.reason;
    const [top] = sites;
    if (top && sites.length > 1) await buildMap(top, options);
  } catch (error) {
    await close();
    throw error;
  }
  const names = sites.flatMap((site) => site.names);
  const subOverlords = new Map(sites.flatMap((site) => [...site.subOverlords]));
  const stop = async (name: string): Promise<void> => {
    await fleets.find((fleet) => fleet.names.includes(name))?.stop(name);
  };
  return { home, names, subOverlords, stop, close };
}

/** Where the sub-overlords have their data, and how to look at one; nothing where there are none. */
export function subOverlordLines({ subOverlords }: Pick<LocalOverlord, "subOverlords">): string[] {
  const [first] = subOverlords;
  if (!first) return [];
  const [name, home] = first;
  return [
    ...[...subOverlords].map(([each, data]) => `sub-overlord ${each}: FUNC_HOME=${data}`),
    `What ${name} itself sees: FUNC_HOME=${home} node ${join(dist, "func.js")} jobs list`,
  ];
}

async function startSite(
  site: Site,
  inTree: boolean,
  { signal, onProgress, tiers }: LocalOverlordOptions,
): Promise<LocalFleet> {
  const { home, names, subOverlords } = site;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const configuration = join(home, "overlord.yaml");
  if (!existsSync(configuration)) {
    await writeFileAtomic(configuration, 'certmaster:\n  listen: "127.0.0.1:0"\n');
  }
  const many = tiers.reduce((product, width) => product * width, 1) > MANY;
  return withConnection(site, signal, (connection) =>
    startLocalFleet({
      connection,
      size: names,
      subOverlords,
      ...(many && inTree && subOverlords.size === 0 && { perProcess: names.length }),
      home,
      funcdScript: join(dist, "funcd.js"),
      execPath: process.execPath,
      signal,
      onProgress: (message) => onProgress?.(inTree ? `${site.name}: ${message}` : message),
    }),
  );
}

async function buildMap(top: Site, { signal, onProgress }: LocalOverlordOptions): Promise<void> {
  onProgress?.("building the delegation map");
  await withConnection(top, signal, (connection) =>
    connection.request("map/build", {}, { signal }),
  );
}

async function withConnection<Result>(
  site: Site,
  signal: AbortSignal,
  use: (connection: OverlordConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await connectOverlord({ ...targetOf(site), signal });
  try {
    return await use(connection);
  } finally {
    connection.dispose();
  }
}

function targetOf({ home }: Site) {
  return {
    dataDirectory: home,
    kind: "library" as const,
    version: __VERSION__,
    launch: { execPath: process.execPath, script: join(dist, "overlord.js") },
  };
}
