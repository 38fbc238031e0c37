import type { MethodDirectory } from "../../../server/calls/methodDirectory";
import { MinionCaller } from "../../../server/calls/minionCaller";
import { SeenMinions } from "../../../server/calls/seenMinions";
import { silentLog } from "../../../server/common/log";
import { CallRunner } from "../../../server/jobs/engine/callRunner";
import type { Job } from "../../../server/jobs/job";
import { JobRegistry } from "../../../server/jobs/jobRegistry";
import type { OutputFiles } from "../../../server/jobs/outputs/outputFiles";
import type { JobEvent } from "../../../server/jobs/store/storeTypes";
import { ValueKeeper } from "../../../server/jobs/outputs/valueKeeper";
import type { MinionRecord } from "../../../server/protocol/minions";
import type { Inventory } from "../../../server/targets/inventory";
import type { WireClient } from "../../../server/wire/wireClient";
import type { SimulatedDisk } from "./simulatedDisk";
import { SimulatedStore } from "./simulatedStore";
import type { SimulatedWire } from "./simulatedWire";
import type { VirtualClock } from "./virtualClock";

const DEFAULTS = { nforks: 10, nforksGiven: false, deliveryTimeoutMs: 10_000, timeoutMs: 20_000 };

export interface SimulatedWorld {
  clock: VirtualClock;
  disk: SimulatedDisk;
  wire: SimulatedWire;
  minions: readonly MinionRecord[];
}

/** One process of the overlord: its engine is the real one, everything around it is simulated. */
export class SimulatedOverlord {
  readonly store: SimulatedStore;
  readonly jobs = new JobRegistry();
  readonly runner: CallRunner;
  /** Settles when it is killed. */
  readonly died: Promise<void>;
  #die = (): void => undefined;
  #alive = true;

  private constructor(
    private readonly world: SimulatedWorld,
    past: readonly JobEvent[],
    onResumed: (job: Job) => void,
  ) {
    const { clock, disk, wire, minions } = world;
    const isAlive = (): boolean => this.#alive;
    this.died = new Promise((resolve) => (this.#die = resolve));
    this.store = new SimulatedStore(disk, clock, isAlive, past);
    // of each, what the engine uses
    const inventory = {
      find: (name: string) => minions.find((minion) => minion.name === name),
      sawOnline: () => undefined,
      sawUnreachable: () => undefined,
    } as unknown as Inventory;
    const client = wire.clientOf(isAlive) as unknown as WireClient;
    const seen = new SeenMinions();
    const caller = new MinionCaller(() => Promise.resolve(client), inventory, silentLog, {}, [
      seen,
    ]);
    const methods = { find: () => undefined } as unknown as MethodDirectory;
    const keeper = new ValueKeeper({} as unknown as OutputFiles, () => 0);
    this.runner = new CallRunner({
      ...{ jobs: this.jobs, store: this.store, caller, seen, inventory, methods, keeper },
      ...{ defaults: DEFAULTS, onResumed, log: silentLog },
    });
  }

  /** Starts on what the disk has, and goes on with it. */
  static async start(
    world: SimulatedWorld,
    past: readonly JobEvent[],
    onResumed: (job: Job) => void,
  ): Promise<SimulatedOverlord> {
    const overlord = new SimulatedOverlord(world, past, onResumed);
    world.clock.runAs(overlord);
    await overlord.runner.resume();
    overlord.runner.begin();
    return overlord;
  }

  /** From now on it does nothing any more; gives what is on the disk. */
  kill(): JobEvent[] {
    const { clock, disk } = this.world;
    this.#alive = false;
    clock.kill(this);
    clock.runAs(undefined);
    this.#die();
    return disk.crash();
  }
}
