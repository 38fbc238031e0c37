import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectOverlord } from "../../server/client/connection";
import { stopOverlord, type OverlordTarget } from "../../server/client/stopOverlord";
import { writeFileAtomic } from "../../server/common/atomicFile";
import { writeInventory } from "../../server/targets/inventoryFile";
import { startProvisionedFleet, type ProvisionedFleet } from "./provisionedFleet";

/** Funcds of sub-overlords in one process. */
const HOPS_PER_PROCESS = 25;

/** The minions of a fleet once more, as leaves below sub-overlords. */
export interface ProvisionedTree {
  /** Its minions are the sub-overlords. */
  readonly top: ProvisionedFleet;
  /** Starts the sub-overlords that do not run. */
  startOverlords(): Promise<void>;
  /** How many jobs all sub-overlords together have had. */
  jobsBelow(): Promise<number>;
  /** Ends all overlords; the leaves go on. */
  close(): Promise<void>;
}

/**
 * Puts `count` sub-overlords between a new top and the minions of `leaves`, as many below each. They stand in
 * `folder`, all know the CA of `leaves`.
 */
export async function startProvisionedTree(
  leaves: ProvisionedFleet,
  count: number,
  { folder, dist, signal }: { folder: string; dist: string; signal: AbortSignal },
): Promise<ProvisionedTree> {
  const names = Array.from({ length: count }, (_, index) => `mid${index + 1}`);
  const homeOf = (name: string): string => join(folder, name);
  const each = Math.ceil(leaves.minions.length / count);
  const lines = ["---"];
  for (const [index, name] of names.entries()) {
    const home = homeOf(name);
    const own = leaves.minions.slice(index * each, (index + 1) * each);
    await mkdir(home, { recursive: true, mode: 0o700 });
    await cp(join(leaves.dataDirectory, "ca"), join(home, "ca"), { recursive: true });
    await writeFileAtomic(join(home, "overlord.yaml"), 'certmaster:\n  listen: "127.0.0.1:0"\n');
    await writeInventory(join(home, "inventory.json"), own);
    lines.push(`${name}:`, ...own.map((leaf) => `    ${leaf.name}: {}`));
  }
  const top = await startProvisionedFleet({
    names,
    dataDirectory: join(folder, "top"),
    minionYaml: (name) => ({ sub_overlord: { home: homeOf(name) } }),
    perProcess: HOPS_PER_PROCESS,
    dist,
    signal,
  });
  await writeFile(join(top.dataDirectory, "map"), `${lines.join("\n")}\n`);
  const targets = names.map((name): OverlordTarget => ({
    ...top.target,
    dataDirectory: homeOf(name),
  }));
  return {
    top,
    startOverlords: async () => {
      for (const target of targets) (await connectOverlord({ ...target, signal })).dispose();
    },
    jobsBelow: async () => {
      let sum = 0;
      for (const target of targets) {
        const connection = await connectOverlord({ ...target, signal });
        sum += (await connection.request("jobs/list", { limit: 1_000 })).jobs.length;
        connection.dispose();
      }
      return sum;
    },
    close: async () => {
      await top.close();
      await Promise.all(targets.map((target) => stopOverlord(target, true)));
    },
  };
}
