import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { writeInventory } from "../../server/targets/inventoryFile";
import { WireClient } from "../../server/wire/wireClient";
import type { JsonValue } from "../../server/protocol/value";
import { fromJson } from "../../server/wire/jsonValue";
import { LoopbackBlock } from "../bench/loopbackBlock";
import { startProvisionedFleet, type ProvisionedFleet } from "../bench/provisionedFleet";
import { FaultyNetwork } from "./faultyNetwork";
import { MinionHost } from "./minionHost";
import type { Plan } from "./plan";

/** Limits on the way to a minion, short since much is cut; in seconds. */
const OVERLORD_YAML = "connect_timeout: 4\ndelivery_timeout: 6\n";
const STARTS_AT_ONCE = 6;
const DUPLICATE_TIMEOUT_MS = 10_000;

/** An overlord, hosts with a minion each, and the faulty network between. */
export class ChaosFleet {
  #asker?: WireClient;

  private constructor(
    readonly fleet: ProvisionedFleet,
    readonly hosts: ReadonlyMap<string, MinionHost>,
    readonly network: FaultyNetwork,
  ) {}

  /** `dist`: where overlord.js and funcd.js are, of the version `version`. */
  static async start(
    plan: Plan,
    names: readonly string[],
    { dist, version }: { dist: string; version?: string },
  ): Promise<ChaosFleet> {
    const fleet = await startProvisionedFleet({
      size: names.length,
      dist,
      version,
      start: false,
      overlordYaml: OVERLORD_YAML,
    });
    const { dataDirectory } = fleet;
    const network = new FaultyNetwork((place) => plan.connection(place));
    const block = await LoopbackBlock.find(names.length);
    // the overlord knows its minions where the network stands, and they are somewhere else
    const known = fleet.minions.map((minion, index) => ({
      ...minion,
      address: block.address(index),
      port: block.port,
    }));
    await writeInventory(join(dataDirectory, "inventory.json"), known);
    for (const [index, { name, address, port }] of fleet.minions.entries()) {
      const at = { host: block.address(index), port: block.port };
      await network.open(name, at, { host: address, port });
    }
    const hosts = new Map(
      names.map((name) => {
        const folder = join(dataDirectory, "work", name);
        return [name, new MinionHost(name, fleet.homeOf(name), folder, join(dist, "funcd.js"))];
      }),
    );
    const chaos = new ChaosFleet(fleet, hosts, network);
    try {
      await chaos.startHosts();
    } catch (error) {
      await chaos.close();
      throw error;
    }
    return chaos;
  }

  host(name: string): MinionHost {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`no ${name}`);
    return host;
  }

  /** Starts the funcds that do not run. */
  async startHosts(): Promise<void> {
    const rest = [...this.hosts.values()];
    const worker = async (): Promise<void> => {
      for (let host = rest.pop(); host; host = rest.pop()) await host.start();
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, worker));
  }

  /** Sends a minion a call, past the network, as its overlord did or will do: with this id of the call. */
  async duplicate(
    name: string,
    method: string,
    args: readonly JsonValue[],
    callId: string,
  ): Promise<void> {
    const minion = this.fleet.minions.find((one) => one.name === name);
    if (!minion) throw new Error(`no ${name}`);
    const { address, port } = minion;
    this.#asker ??= await this.#newAsker();
    await this.#asker.call({ name, address, port }, method, args.map(fromJson), {
      callId,
      timeoutMs: DUPLICATE_TIMEOUT_MS,
    });
  }

  async close(): Promise<void> {
    this.#asker?.close();
    await Promise.all([...this.hosts.values()].map((host) => host.close()));
    await this.network.close();
    await this.fleet.close();
  }

  async #newAsker(): Promise<WireClient> {
    const { dataDirectory } = this.fleet;
    const pem = await readFile(join(dataDirectory, "credentials", "overlord.pem"), "utf8");
    const ca = await readFile(join(dataDirectory, "ca", "ca.crt"), "utf8");
    return new WireClient({ key: pem, certificate: pem, ca, verifyPeer: verifyMinionPeer });
  }
}
