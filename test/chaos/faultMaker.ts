import { setTimeout as sleep } from "node:timers/promises";
import { callIdOf } from "../../server/jobs/jobId";
import type { ChaosFleet } from "./chaosFleet";
import type { Fault, FaultKind, Plan, PlannedJob } from "./plan";

/** A call that a minion has got for sure. */
export interface DeliveredCall {
  job: PlannedJob;
  id: string;
  minion: string;
  attempt: number;
}

/** So many of them are remembered, to be sent once more. */
const MAX_DELIVERED = 2_000;

/** Does to a fleet what the plan says, at the times that it says. */
export class FaultMaker {
  readonly counts = new Map<FaultKind, number>();
  /** "minion token" of work that was killed. */
  readonly #killed = new Set<string>();
  readonly #delivered: DeliveredCall[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #ending = new AbortController();

  constructor(
    private readonly fleet: ChaosFleet,
    private readonly plan: Plan,
    private readonly options: { meanGapMs: number; without: ReadonlySet<string> },
  ) {}

  wasKilled(minion: string, token: string): boolean {
    return this.#killed.has(`${minion} ${token}`);
  }

  /** Of work that was killed: what it had begun itself may go on. */
  killedTokens(): string[] {
    return [...this.#killed].map((key) => key.slice(key.indexOf(" ") + 1));
  }

  /** May be sent again from now on. */
  delivered(call: DeliveredCall): void {
    this.#delivered.push(call);
    if (this.#delivered.length > MAX_DELIVERED) this.#delivered.shift();
  }

  /** One fault after the other, until `end`. */
  async run(): Promise<void> {
    const { signal } = this.#ending;
    for (;;) {
      const { afterMs, fault } = this.plan.fault(this.options.meanGapMs);
      await sleep(afterMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (this.options.without.has(fault.kind)) continue;
      const work = this.#make(fault).then((done) => {
        if (done) this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
      });
      const noted = work.finally(() => this.#underWay.delete(noted));
      this.#underWay.add(noted);
    }
  }

  /** No faults any more: all that was put down is up again when this settles. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.fleet.network.calm();
    await Promise.all(this.#underWay);
    await this.fleet.startHosts();
  }

  /** True where there was something to do it to. */
  async #make(fault: Fault): Promise<boolean> {
    const { network } = this.fleet;
    switch (fault.kind) {
      case "kill overlord":
        return kill(await this.fleet.overlordPid(fault.place));
      case "kill funcd":
        return this.#restart(fault.minion, fault.downMs);
      case "kill job":
        return this.#killWork(fault.minion, fault.runner);
      case "freeze overlord":
        return freeze(await this.fleet.overlordPid(fault.place), fault.forMs);
      case "freeze funcd":
        return freeze(this.fleet.host(fault.minion).pid, fault.forMs);
      case "cut":
        network.cut(fault.minion, fault.reset);
        return true;
      case "black hole":
        network.blackHole(fault.minion, fault.forMs);
        return true;
      case "delay":
        network.delay(fault.minion, fault.byMs, fault.forMs);
        return true;
      case "replay":
        network.replay(fault.minion);
        return true;
      case "duplicate":
        return this.#duplicate(fault.place);
    }
  }

  async #restart(minion: string, downMs: number): Promise<boolean> {
    const host = this.fleet.host(minion);
    if (!host.isUp) return false;
    await host.kill();
    await sleep(downMs);
    // killed again while it starts, it is started by whoever killed it
    await host.start().catch((error: unknown) => {
      if (host.isUp) throw error;
    });
    return true;
  }

  /** On that host, or on the next one that has work. */
  #killWork(minion: string, runner: boolean): boolean {
    const hosts = [...this.fleet.hosts.values()];
    const from = hosts.findIndex(({ name }) => name === minion);
    for (const host of [...hosts.slice(from), ...hosts.slice(0, from)]) {
      const token = host.killWork(runner);
      if (token === undefined) continue;
      this.#killed.add(`${host.name} ${token}`);
      return true;
    }
    return false;
  }

  async #duplicate(place: number): Promise<boolean> {
    const call = this.#delivered[Math.floor(place * this.#delivered.length)];
    if (!call) return false;
    const { job, id, minion, attempt } = call;
    const method = `${job.call.async ? "async." : ""}command.run`;
    try {
      return await this.fleet.duplicate(
        minion,
        method,
        job.call.args,
        callIdOf(id, minion, attempt),
      );
    } catch {
      return false; // funcd is down, or ends right now
    }
  }
}

/** Nothing of it runs for so long; its connections stay. */
async function freeze(pid: number | undefined, forMs: number): Promise<boolean> {
  if (pid === undefined || !signalled(pid, "SIGSTOP")) return false;
  await sleep(forMs);
  signalled(pid, "SIGCONT");
  return true;
}

function kill(pid: number | undefined): boolean {
  return pid !== undefined && signalled(pid, "SIGKILL");
}

function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
