import { setImmediate as turn } from "node:timers/promises";
import { FuncError } from "../../common/errors";
import type { OutputRef } from "../../protocol/outputs";
import type { JobEntry } from "../jobEntry";
import { lineAround, type LiteralFinder } from "./literalFinder";
import type { OutputFiles } from "../outputs/outputFiles";
import { searchPiece } from "./outputSearch";
import { valueTexts } from "../outputs/valueTexts";

/** One answer comes after so long. */
const SLICE_MS = 120;
/** Others have their turn after so long. */
const TURN_MS = 10;

/** Where a search goes on: the minion by number, the part of its result by number, the byte in that. */
export interface Position {
  index: number;
  /** 0 is what is in memory, then its outputs. */
  part: number;
  offset: number;
}

/** By output: the line that matches, or undefined where none does. Equal outputs are searched once. */
export type Findings = Map<string, string | undefined>;

/** The search for the time of one answer. */
export class SearchSlice {
  private readonly startedMs = performance.now();
  private turnMs = performance.now();
  private over = false;

  constructor(
    private readonly files: OutputFiles,
    private readonly finder: LiteralFinder,
    private readonly findings: Findings,
    /** Moved on within an entry. */
    private readonly at: Position,
    private readonly signal: AbortSignal,
  ) {}

  /** True once the time was over before the end of an entry; `at` tells where to go on. */
  get isOver(): boolean {
    return this.over;
  }

  /** The first line of a result that matches; of no meaning where the time is over. */
  async searchEntry(entry: JobEntry): Promise<string | undefined> {
    const { at } = this;
    if (at.part === 0) {
      if (!(await this.hasTime())) return undefined;
      const line = this.searchMemory(entry);
      if (line !== undefined) return line;
      at.part = 1;
    }
    for (let ref = entry.outputs[at.part - 1]; ref; ref = entry.outputs[at.part - 1]) {
      const line = await this.searchOutput(ref);
      if (line !== undefined || this.over) return line;
      Object.assign(at, { part: at.part + 1, offset: 0 });
    }
    return undefined;
  }

  private searchMemory({ result: { value, error } }: JobEntry): string | undefined {
    const texts = error ? [error.message, error.trace] : valueTexts(value ?? "");
    for (const text of texts) {
      const found = this.finder.find(text);
      if (found) return lineAround(text, found);
    }
    return undefined;
  }

  private async searchOutput(ref: OutputRef): Promise<string | undefined> {
    const { at, findings } = this;
    const key = `${ref.kind} ${ref.sha256}`;
    if (findings.has(key)) return findings.get(key);
    while (await this.hasTime()) {
      const piece = await searchPiece(this.files, ref, this.finder, at.offset);
      if (piece && "next" in piece) {
        at.offset = piece.next;
      } else {
        findings.set(key, piece?.line);
        return piece?.line;
      }
    }
    return undefined;
  }

  /** Lets others have their turn, and looks at the clock. */
  private async hasTime(): Promise<boolean> {
    if (performance.now() - this.turnMs > TURN_MS) {
      await turn();
      this.turnMs = performance.now();
    }
    if (this.signal.aborted) throw new FuncError("cancelled", "The search was cancelled.");
    this.over = performance.now() - this.startedMs > SLICE_MS;
    return !this.over;
  }
}
