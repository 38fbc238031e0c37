import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import type { EndpointFile } from "../../server/protocol/overlord";
import { writeInventory } from "../../server/targets/inventoryFile";
import { WireClient } from "../../server/wire/wireClient";
import type { JsonValue } from "../../server/protocol/value";
import { fromJson } from "../../server/wire/jsonValue";
import { LoopbackBlock } from "../bench/loopbackBlock";
import { startProvisionedFleet, type ProvisionedFleet } from "../bench/provisionedFleet";
import { FaultyNetwork } from "./faultyNetwork";
import { MinionHost } from "./minionHost";
import type { Plan } from "./plan";
import { logTroubles } from "./processTroubles";
import { mapTextOf, type ChaosTree } from "./chaosTree";

/** Limits on the way to a minion, short since much is cut; in seconds. */
const OVERLORD_YAML = "connect_timeout: 4\ndelivery_timeout: 6\n";
const STARTS_AT_ONCE = 6;
const DUPLICATE_TIMEOUT_MS = 10_000;

export interface ChaosPrograms {
  /** Where overlord.js and funcd.js are, of the version `version`. */
  dist: string;
  version?: string;
}

/** Overlords, hosts with a minion each, and the faulty network between. */
export class ChaosFleet {
  #asker?: WireClient;
  readonly hosts = new Map<string, MinionHost>();
  /** The top first. */
  readonly #sites: ProvisionedFleet[] = [];

  private constructor(
    private readonly root: string,
    private readonly programs: ChaosPrograms,
    readonly network: FaultyNetwork,
  ) {}

  static async start(plan: Plan, tree: ChaosTree, programs: ChaosPrograms): Promise<ChaosFleet> {
    const root = await mkdtemp(join(tmpdir(), "func-chaos-"));
    const network = new FaultyNetwork((place) => plan.connection(place));
    const chaos = new ChaosFleet(root, programs, network);
    try {
      for (const site of tree) await chaos.#provision(site.overlord, site.minions, tree);
      if (tree.length > 1) await writeFile(join(chaos.top.dataDirectory, "map"), mapTextOf(tree));
      await chaos.startHosts();
    } catch (error) {
      await chaos.close();
      throw error;
    }
    return chaos;
  }

  /** That of the overlord that is asked. */
  get top(): ProvisionedFleet {
    const [top] = this.#sites;
    if (!top) throw new Error("no top");
    return top;
  }

  host(name: string): MinionHost {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`no ${name}`);
    return host;
  }

  /** Of one of the overlords that run; `place` from 0 to 1 says which. */
  async overlordPid(place: number): Promise<number | undefined> {
    const site = this.#sites[Math.floor(place * this.#sites.length)];
    if (!site) return undefined;
    try {
      const text = await readFile(join(site.dataDirectory, "endpoint"), "utf8");
      return (JSON.parse(text) as EndpointFile).pid;
    } catch {
      return undefined; // none runs right now
    }
  }

  /** Starts the funcds that do not run. */
  async startHosts(): Promise<void> {
    const rest = [...this.hosts.values()];
    const worker = async (): Promise<void> => {
      for (let host = rest.pop(); host; host = rest.pop()) await host.start();
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, worker));
  }

  /**
   * Sends a minion a call, past the network, as its overlord did or will do: with this id of the call. False where
   * another overlord than the top calls it.
   */
  async duplicate(
    name: string,
    method: string,
    args: readonly JsonValue[],
    callId: string,
  ): Promise<boolean> {
    const minion = this.top.minions.find((one) => one.name === name);
    if (!minion) return false;
    const { address, port } = minion;
    this.#asker ??= await this.#newAsker();
    await this.#asker.call({ name, address, port }, method, args.map(fromJson), {
      callId,
      timeoutMs: DUPLICATE_TIMEOUT_MS,
    });
    return true;
  }

  /** What no process is to do, whatever is done to it: end by itself, or log that it did not know what to do. */
  async troubles(): Promise<string[]> {
    const logs = this.#sites.map(({ dataDirectory }) => logTroubles(dataDirectory));
    const ends = [...this.hosts.values()].flatMap(({ ownEnds }) => ownEnds);
    return [...ends, ...(await Promise.all(logs)).flat()];
  }

  async close(): Promise<void> {
    this.#asker?.close();
    await Promise.all([...this.hosts.values()].map((host) => host.close()));
    await this.network.close();
    await Promise.all(this.#sites.map((site) => site.close()));
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  async #provision(overlord: string, names: readonly string[], tree: ChaosTree): Promise<void> {
    const { dist, version } = this.programs;
    const overlords = new Set(tree.map((site) => site.overlord));
    const fleet = await startProvisionedFleet({
      names,
      dist,
      version,
      dataDirectory: join(this.root, overlord),
      start: false,
      overlordYaml: OVERLORD_YAML,
      minionYaml: (name) =>
        overlords.has(name) ? { sub_overlord: { home: join(this.root, name) } } : {},
    });
    this.#sites.push(fleet);
    const block = await LoopbackBlock.find(names.length);
    // the overlord knows its minions where the network stands, and they are somewhere else
    const known = fleet.minions.map((minion, index) => ({
      ...minion,
      address: block.address(index),
      port: block.port,
    }));
    await writeInventory(join(fleet.dataDirectory, "inventory.json"), known);
    for (const [index, { name, address, port }] of fleet.minions.entries()) {
      const at = { host: block.address(index), port: block.port };
      await this.network.open(name, at, { host: address, port });
      const folder = join(this.root, "work", name);
      const host = new MinionHost(name, fleet.homeOf(name), folder, join(dist, "funcd.js"));
      this.hosts.set(name, host);
    }
  }

  async #newAsker(): Promise<WireClient> {
    const { dataDirectory } = this.top;
    const pem = await readFile(join(dataDirectory, "credentials", "overlord.pem"), "utf8");
    const ca = await readFile(join(dataDirectory, "ca", "ca.crt"), "utf8");
    return new WireClient({ key: pem, certificate: pem, ca, verifyPeer: verifyMinionPeer });
  }
}
