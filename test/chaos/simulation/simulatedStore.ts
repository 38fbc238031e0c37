import type { JobEvent } from "../../../server/jobs/store/storeTypes";
import { MemoryJobStore } from "../../fixtures/memoryJobStore";
import type { Append, SimulatedDisk } from "./simulatedDisk";
import type { VirtualClock } from "./virtualClock";

/** What a crash may lose is written so late. */
const NOTE_MS = 500;

/** The job store of one process on the simulated disk: it knows what is durable there. */
export class SimulatedStore extends MemoryJobStore {
  readonly #append: Append;
  #noted: JobEvent[] = [];

  /** `past`: what the disk had. */
  constructor(
    disk: SimulatedDisk,
    private readonly clock: VirtualClock,
    private readonly isAlive: () => boolean,
    past: readonly JobEvent[],
  ) {
    super();
    super.note(past);
    this.#append = disk.writer(isAlive, (events) => {
      super.note(events);
    });
  }

  override append(events: readonly JobEvent[]): Promise<void> {
    // what was noted before stands before it in the journal
    const all = [...this.#noted, ...events];
    this.#noted = [];
    return this.#append(all);
  }

  override note(events: readonly JobEvent[]): void {
    if (this.#noted.length === 0) {
      this.clock.after(NOTE_MS, () => {
        if (this.isAlive() && this.#noted.length > 0) void this.append([]);
      });
    }
    this.#noted.push(...structuredClone(events));
  }
}
