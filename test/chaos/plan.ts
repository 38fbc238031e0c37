import type { StartCallParams } from "../../server/protocol/requests";
import type { JsonValue } from "../../server/protocol/value";
import { Random } from "../fuzz/random";

/** One job of a run: all of it comes from the seed. */
export interface PlannedJob {
  /** In its command and in every line that the command leaves: nothing else has it. */
  token: string;
  minions: readonly string[];
  call: StartCallParams;
  /** What its command ends with. */
  exitStatus: number;
  /** Bytes that it writes besides its one line. */
  bytes: number;
  cancelAfterMs?: number;
  /** How often what did not succeed is tried again. */
  retries: number;
  /** A second window watches it too. */
  watched: boolean;
}

/** What is done to the processes and to the network between them. */
export type Fault =
  | { kind: "kill overlord"; place: number }
  | { kind: "kill funcd"; minion: string; downMs: number }
  | { kind: "kill job"; minion: string; runner: boolean }
  | { kind: "freeze overlord"; place: number; forMs: number }
  | { kind: "freeze funcd"; minion: string; forMs: number }
  | { kind: "cut"; minion: string; reset: boolean }
  | { kind: "black hole"; minion: string; forMs: number }
  | { kind: "delay"; minion: string; byMs: number; forMs: number }
  | { kind: "replay"; minion: string }
  | { kind: "duplicate"; place: number };

export type FaultKind = Fault["kind"];

const SYNC_TIMEOUT_MS = 15_000;
const ASYNC_TIMEOUT_MS = 60_000;
/** Longer than a run takes to settle. */
const ENDLESS_SECONDS = 600;

/** Jobs and faults, one after the other, the same for the same seed and minions. */
export class Plan {
  readonly #faults: Random;

  constructor(
    readonly seed: number,
    private readonly minions: readonly string[],
    /** Most of them stand behind others. */
    private readonly delegate = false,
  ) {
    this.#faults = this.#random(0);
  }

  /** The job of this place, from 1. */
  job(place: number): PlannedJob {
    const random = this.#random(place);
    const token = `chaos-${this.seed}-${place}`;
    const minions = random.chance(0.6)
      ? this.minions
      : this.minions.filter(() => random.chance(0.5));
    const chosen = minions.length === 0 ? this.minions : minions;
    const exitStatus = random.chance(0.1) ? 1 + random.below(100) : 0;
    const bytes = random.chance(0.02) ? 70_000 : 0;
    const isAsync = random.chance(0.75);
    const seconds = workSeconds(random);
    const call: StartCallParams = {
      spec: chosen === this.minions ? "*" : chosen.join(";"),
      module: "command",
      method: "run",
      args: [command(token, seconds, bytes, exitStatus)],
      async: isAsync,
      ...(this.delegate && { delegate: true }),
      timeoutMs: isAsync ? ASYNC_TIMEOUT_MS : SYNC_TIMEOUT_MS,
      ...(random.chance(0.3) && { nforks: 1 + random.below(chosen.length) }),
      ...(isAsync && random.chance(0.3) && { deliveryLimitMs: 1_000 + random.below(15_000) }),
      ...(random.chance(0.15) && { batch: batch(random) }),
      ...(random.chance(0.1) && { maxErrors: random.below(4) }),
    };
    const job: PlannedJob = {
      token,
      minions: chosen,
      call,
      exitStatus,
      bytes,
      ...(random.chance(0.08) && { cancelAfterMs: random.below(1_500) }),
      retries: random.chance(0.15) ? 1 + random.below(2) : 0,
      watched: random.chance(0.3),
    };
    if (job.cancelAfterMs === undefined || !random.chance(0.5)) return job;
    // it is the cancel that has to end it
    const args = [command(token, ENDLESS_SECONDS, bytes, exitStatus)];
    return { ...job, call: { ...call, args }, retries: 0 };
  }

  /** The next fault, and how long after the last; `meanGapMs`: between two, on average. */
  fault(meanGapMs: number): { afterMs: number; fault: Fault } {
    const random = this.#faults;
    const afterMs = -Math.log(1 - random.fraction()) * meanGapMs;
    const minion = random.pick(this.minions);
    const share = random.below(100);
    if (share < 3)
      return {
        afterMs,
        fault: { kind: "kill overlord", place: this.delegate ? random.fraction() : 0 },
      };
    if (share < 15) {
      return { afterMs, fault: { kind: "kill funcd", minion, downMs: random.below(1_500) } };
    }
    if (share < 30) {
      return { afterMs, fault: { kind: "kill job", minion, runner: random.chance(0.4) } };
    }
    if (share < 56) return { afterMs, fault: { kind: "cut", minion, reset: random.chance(0.5) } };
    if (share < 58) {
      const place = this.delegate ? random.fraction() : 0;
      return { afterMs, fault: { kind: "freeze overlord", place, forMs: random.below(6_000) } };
    }
    if (share < 60) {
      return { afterMs, fault: { kind: "freeze funcd", minion, forMs: random.below(6_000) } };
    }
    if (share < 70) {
      return { afterMs, fault: { kind: "black hole", minion, forMs: random.below(6_000) } };
    }
    if (share < 80) {
      const byMs = random.below(400);
      return { afterMs, fault: { kind: "delay", minion, byMs, forMs: random.below(3_000) } };
    }
    if (share < 88) return { afterMs, fault: { kind: "replay", minion } };
    return { afterMs, fault: { kind: "duplicate", place: random.fraction() } };
  }

  /** Numbers for what happens on one connection, by its place among all. */
  connection(place: number): Random {
    return this.#random(-place);
  }

  #random(place: number): Random {
    return new Random(this.seed ^ Math.imul(place + 1, 0x9e3779b1));
  }
}

function workSeconds(random: Random): number {
  if (random.chance(0.7)) return 0;
  return random.chance(0.9) ? random.below(600) / 1_000 : random.below(4_000) / 1_000;
}

function batch(random: Random): { size: string } {
  return { size: random.pick(["25%", "50%", "3"]) };
}

/**
 * The work. It leaves a line in the host's own file of starts, which is how starts are counted: `TMPDIR` is that of
 * the host's funcd, whoever starts the work. What it prints names its process, which is in that line too.
 */
function command(token: string, seconds: number, bytes: number, exitStatus: number): JsonValue {
  return [
    `: ${token}`,
    `printf '%s\\n' "${token} $$" >>"$TMPDIR/starts"`,
    ...(seconds > 0 ? [`sleep ${seconds}`] : []),
    ...(bytes > 0 ? [`head -c ${bytes} /dev/zero | tr '\\0' x`] : []),
    `printf '%s\\n' "${token} $$"`,
    `exit ${exitStatus}`,
  ].join("; ");
}
