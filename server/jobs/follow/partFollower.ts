import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../common/errors";
import { FINAL_STATES, type OutputOffsets } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import { wholeUtf8 } from "../../wire/utf8Cut";
import type { FollowedJob, FollowedPart } from "./followedJob";
import type { OutputFiles } from "../outputs/outputFiles";
import { outputsOfResult, type StoredOutput } from "./outputOfResult";
import type { OutputPlace, OutputReads } from "./outputReads";
import type { OutputSender } from "./outputSender";
import { outputTexts } from "./outputTexts";
import { TAIL_LINES, TailMerge } from "./tailMerge";

/** Less than what makes an answer large on the wire. */
const MOST_READ_BYTES = 40_000;
const LEAST_READ_BYTES = 4_096;
/** All answers under way for one follower together. */
const READING_BYTES = 8 * 1024 * 1024;
/** Between two reads of an output that grows all the time; one more ms for each minion that is followed. */
const PAUSE_MS = 50;
const TAIL_EVERY_MS = 1_000;
const FIRST_AWAY_MS = 500;
const LONGEST_AWAY_MS = 5_000;
/** Of a job that is over here: so long is waited for what the minion still writes. */
const LAST_WAIT_SECONDS = 5;
const MOST_LAST_TRIES = 4;

export type StreamName = "stdout" | "stderr";

export interface FollowParts {
  reads: OutputReads;
  outputs: OutputFiles;
  findMinion(name: string): MinionRecord | undefined;
}

/** What the parts of one follower share. */
export interface FollowContext extends FollowParts {
  job: FollowedJob;
  sender: OutputSender;
  /** How many minions are followed. */
  count: number;
  /** Where the minion stands now; undefined where it is not part of the job. */
  part(minion: string): FollowedPart | undefined;
  /** Settles once the part is not `known` any more, or nobody follows. */
  changed(known: FollowedPart): Promise<void>;
  /** All that was written was sent, of this attempt. */
  ended(part: FollowedPart): void;
  signal: AbortSignal;
}

type Step = "again" | "ended";

/** Follows what one minion's part of a job writes, attempt by attempt. */
export class PartFollower {
  /** Bytes of each stream that were sent. */
  #sent: OutputOffsets;
  /** The first bytes of a character whose rest has not come yet. */
  #begun: Record<StreamName, Uint8Array> = { stdout: new Uint8Array(), stderr: new Uint8Array() };
  #attempt: number;
  #tail: TailMerge | undefined;
  #isInexact = false;
  #tries = 0;

  constructor(
    private readonly minion: string,
    private readonly context: FollowContext,
    { attempt, stdout, stderr }: OutputOffsets,
  ) {
    this.#sent = { stdout, stderr };
    this.#attempt = attempt ?? context.part(minion)?.attempt ?? 1;
  }

  /** Rejects only where the signal is aborted. */
  async run(): Promise<void> {
    const { signal, sender } = this.context;
    for (;;) {
      signal.throwIfAborted();
      const part = this.context.part(this.minion);
      if (!part) return;
      this.#enter(part.attempt ?? 1);
      if ((await this.#step(part)) === "again") continue;
      sender.ended(this.minion);
      for (let now = this.context.part(this.minion); now; now = this.context.part(this.minion)) {
        signal.throwIfAborted();
        if ((now.attempt ?? 1) > this.#attempt) break;
        this.context.ended(now);
        await this.context.changed(now);
      }
    }
  }

  /** What was written by another attempt is another output. */
  #enter(attempt: number): void {
    if (attempt === this.#attempt) return;
    this.#attempt = attempt;
    this.#sent = { stdout: 0, stderr: 0 };
    this.#begun = { stdout: new Uint8Array(), stderr: new Uint8Array() };
    this.#tail = undefined;
    this.#tries = 0;
  }

  async #step(part: FollowedPart): Promise<Step> {
    const { signal } = this.context;
    await this.context.sender.room();
    signal.throwIfAborted();
    const isOver = FINAL_STATES.has(part.state);
    if (isOver && !this.#tail && (await this.#takeFromResult())) return "ended";
    const { minionJobId } = part;
    if (minionJobId === undefined) {
      if (isOver) return "ended";
      await this.context.changed(part);
      return "again";
    }
    const { hop = this.minion, callId } = part.behind ?? {};
    const minion = this.context.findMinion(hop);
    if (!minion) return this.#giveUp(`${hop} is no longer among the minions.`);
    const place = { minion, minionJobId, ...(callId !== undefined && { callId }) };
    return this.#tail ? this.#readTail(place, isOver) : this.#read(place, isOver);
  }

  async #read(place: OutputPlace, isOver: boolean): Promise<Step> {
    const { reads, signal, count } = this.context;
    const length = clamp(READING_BYTES / count, LEAST_READ_BYTES, MOST_READ_BYTES);
    const known = {
      stdout: this.#sent.stdout + this.#begun.stdout.length,
      stderr: this.#sent.stderr + this.#begun.stderr.length,
    };
    const wait = isOver ? LAST_WAIT_SECONDS : undefined;
    const read = await reads.read(place, known, length, signal, wait);
    switch (read.kind) {
      case "output": {
        this.#tries = 0;
        const { stdout, stderr, ended } = read;
        const isLast = ended || (isOver && stdout.length + stderr.length === 0);
        this.#send("stdout", stdout, isLast);
        this.#send("stderr", stderr, isLast);
        if (isLast) return "ended";
        if (Math.max(stdout.length, stderr.length) < length) await this.#pause(PAUSE_MS + count);
        return "again";
      }
      case "no-such-method":
        if (place.callId !== undefined) {
          return this.#giveUp(`${this.minion} cannot tell what its jobs write.`);
        }
        this.#tail = new TailMerge(this.#sent.stdout);
        return "again";
      case "away":
        return this.#wait(read.message, isOver);
      case "refused":
        return this.#giveUp(read.message);
    }
  }

  async #readTail(place: OutputPlace, isOver: boolean): Promise<Step> {
    const read = await this.context.reads.tail(place, this.context.signal);
    switch (read.kind) {
      case "tail": {
        this.#tries = 0;
        const { fresh, exact } = this.#tail?.add(read.text) ?? { fresh: "", exact: true };
        if (!exact && !this.#isInexact) {
          this.#isInexact = true;
          const why = `${this.minion} can only tell the last ${TAIL_LINES} lines of its job's log: some may be missing here.`;
          this.context.sender.problem(this.minion, why);
        }
        this.#send("stdout", Buffer.from(fresh), true);
        if (isOver) return "ended";
        await this.#pause(Math.max(TAIL_EVERY_MS, this.context.count * 10));
        return "again";
      }
      case "away":
        return this.#wait(read.message, isOver);
      case "no-such-method":
        return this.#giveUp(`${this.minion} cannot tell what its jobs write.`);
      case "refused":
        return this.#giveUp(read.message);
    }
  }

  /** False where the result does not have what the command wrote. */
  async #takeFromResult(): Promise<boolean> {
    try {
      const { value } = await this.context.job.result(this.minion);
      const stored = await outputsOfResult(value, this.context.outputs);
      if (!stored) return false;
      await this.#takeStored("stdout", stored.stdout);
      await this.#takeStored("stderr", stored.stderr);
      return true;
    } catch (error) {
      this.context.signal.throwIfAborted();
      this.context.sender.problem(this.minion, messageOf(error));
      return true;
    }
  }

  async #takeStored(stream: StreamName, stored: StoredOutput): Promise<void> {
    this.#begun[stream] = new Uint8Array();
    let at = this.#sent[stream];
    while (at < stored.bytes) {
      await this.context.sender.room();
      this.context.signal.throwIfAborted();
      const bytes = await stored.read(at, MOST_READ_BYTES);
      if (bytes.length === 0) return;
      at += bytes.length;
      this.#send(stream, bytes, at >= stored.bytes);
    }
  }

  #send(stream: StreamName, bytes: Uint8Array, isLast: boolean): void {
    const all = Buffer.concat([this.#begun[stream], bytes]);
    const whole = isLast ? all.length : wholeUtf8(all);
    const { minion } = this;
    for (const { text, bytes: count } of outputTexts(all.subarray(0, whole))) {
      const attempt = this.#attempt > 1 ? { attempt: this.#attempt } : {};
      const offset = this.#sent[stream];
      this.context.sender.piece({ minion, ...attempt, stream, offset, text, bytes: count });
      this.#sent[stream] += count;
    }
    this.#begun[stream] = all.subarray(whole);
  }

  #giveUp(message: string): Step {
    this.context.sender.problem(this.minion, message);
    return "ended";
  }

  /** A minion that is away comes back, or its job ends here. */
  async #wait(message: string, isOver: boolean): Promise<Step> {
    this.#tries++;
    if (isOver && this.#tries > MOST_LAST_TRIES) return this.#giveUp(message);
    await this.#pause(Math.min(LONGEST_AWAY_MS, FIRST_AWAY_MS * 2 ** this.#tries));
    return "again";
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.context.signal });
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.floor(Math.min(most, Math.max(least, value)));
}
