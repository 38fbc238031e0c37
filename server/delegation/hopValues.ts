import { setTimeout as sleep } from "node:timers/promises";
import type { MinionCaller } from "../calls/minionCaller";
import { FuncError } from "../common/errors";
import { Turns } from "../jobs/engine/turns";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import type { MinionRecord } from "../protocol/minions";
import { MAX_OUTPUT_READ_BYTES, type OutputRef } from "../protocol/outputs";

/** Of each hop: one that is slow must not keep the others waiting. */
const AT_ONCE = 4;
const PIECE_TIMEOUT_MS = 60_000;
/** Base64 and its tags around it. */
const ANSWER_BYTES = 2 * MAX_OUTPUT_READ_BYTES;
const MOST_TRIES = 8;
const FIRST_PAUSE_MS = 500;

/** Where large parts of results are read from. */
export interface ValuePlace {
  hop: MinionRecord;
  hopJobId: string;
}

/** Brings large parts of results from hops to this overlord's own files. */
export class HopValues {
  private readonly turns = new Map<string, Turns>();

  constructor(
    private readonly caller: MinionCaller,
    private readonly outputs: OutputFiles,
  ) {}

  /**
   * The outputs are here when it settles, held by the job `holder`. Throws FuncError where the hop does not give one
   * of them as it is called, or the disk does not take it, and the signal's reason.
   */
  async bring(
    place: ValuePlace,
    refs: readonly OutputRef[],
    holder: string,
    signal: AbortSignal,
  ): Promise<void> {
    for (const ref of refs) {
      if (this.outputs.hold(holder, ref.sha256)) continue;
      await this.turnsOf(place.hop).take(signal, () => this.bringOne(place, ref, signal));
      this.outputs.hold(holder, ref.sha256);
    }
  }

  private turnsOf({ name }: MinionRecord): Turns {
    const turns = this.turns.get(name) ?? new Turns(AT_ONCE);
    this.turns.set(name, turns);
    return turns;
  }

  private async bringOne(place: ValuePlace, ref: OutputRef, signal: AbortSignal): Promise<void> {
    const writer = this.outputs.create();
    try {
      for (let at = 0; at < ref.bytes;) {
        const piece = await this.read(place, ref, at, signal);
        at += piece.length;
        if (!writer.write(piece)) await writer.drained();
      }
    } catch (error) {
      await writer.discard();
      throw error;
    }
    const written = await writer.finish();
    if (written.sha256 === ref.sha256) return;
    this.outputs.unclaim(written);
    throw new FuncError(
      "broken-answer",
      `${place.hop.name} gave other bytes than those that the result has.`,
    );
  }

  private async read(
    { hop, hopJobId }: ValuePlace,
    { sha256, bytes }: OutputRef,
    at: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const length = Math.min(MAX_OUTPUT_READ_BYTES, bytes - at);
    let problem = "";
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const outcome = await this.caller.call(
        hop,
        "delegation.read_value",
        [hopJobId, sha256, at, length],
        { timeoutMs: PIECE_TIMEOUT_MS, signal, inMemoryBytes: ANSWER_BYTES },
      );
      if (outcome.state === "succeeded") {
        const piece = Array.isArray(outcome.value) ? outcome.value[0] : undefined;
        if (piece instanceof Uint8Array && piece.length === length) return Buffer.from(piece);
        problem = "its answer has other than the piece that was asked for";
        break;
      }
      problem = outcome.error.message;
      if (outcome.answered) break;
      signal.throwIfAborted();
      await sleep(FIRST_PAUSE_MS * 2 ** tries, undefined, { signal, ref: false });
    }
    throw new FuncError(
      "broken-answer",
      `${hop.name} has a large output that it does not give: ${problem}`,
    );
  }
}
