import { randomBytes } from "node:crypto";
import { FuncError } from "../../common/errors";
import type { OverlordRequests } from "../../protocol/requests";
import type { JobEntry } from "../jobEntry";
import { LiteralFinder } from "./literalFinder";
import type { OutputFiles } from "../outputs/outputFiles";
import { SearchSlice, type Findings, type Position } from "./searchSlice";
import type { JobStore } from "../store/storeTypes";
import type { StoreSearch } from "../store/workerProtocol";

type SearchParams = OverlordRequests["jobs/searchAll"]["params"];
type SearchAnswer = OverlordRequests["jobs/searchAll"]["result"];

/** Searches that are not at their end and still can go on. */
const MAX_REMEMBERED = 32;

/** Results of the store's last slice whose files are still to be searched. */
interface Remaining {
  candidates: StoreSearch["candidates"];
  findings: Findings;
  at: Position;
  searched: number;
  next?: string;
}

/** Searches the results of all jobs of the store, a slice at a time. */
export class AllJobsSearch {
  private readonly remembered = new Map<string, Remaining>();

  constructor(
    private readonly store: JobStore,
    private readonly files: OutputFiles,
  ) {}

  /**
   * Goes on from the cursor for a fraction of a second. Throws FuncError "bad-argument" for a cursor that is none
   * (any more), "cancelled".
   */
  async search(params: SearchParams, signal: AbortSignal): Promise<SearchAnswer> {
    const { text, matchCase = false, query = {}, cursor } = params;
    const known = cursor === undefined ? undefined : this.take(cursor);
    const matches: SearchAnswer["matches"] = [];
    let remaining = known;
    if (!remaining || remaining.candidates.length === 0) {
      const from = known ? known.next : undefined;
      const slice = await this.store.searchSlice({ text, matchCase, query, cursor: from });
      matches.push(...slice.matches);
      const { candidates, searched, next } = slice;
      const findings: Findings = known?.findings ?? new Map<string, string | undefined>();
      const at = { index: 0, part: 1, offset: 0 };
      remaining = { candidates, findings, at, searched, ...(next !== undefined && { next }) };
    }
    await this.searchFiles(remaining, new LiteralFinder(text, matchCase), matches, signal);
    const { searched } = remaining;
    const isOver = remaining.candidates.length === 0 && remaining.next === undefined;
    return { matches, searched, ...(!isOver && { next: this.remember(remaining) }) };
  }

  /** Takes those that were searched out of what remains. */
  private async searchFiles(
    remaining: Remaining,
    finder: LiteralFinder,
    matches: SearchAnswer["matches"],
    signal: AbortSignal,
  ): Promise<void> {
    const { candidates, findings, at } = remaining;
    const slice = new SearchSlice(this.files, finder, findings, at, signal);
    for (const { jobId, minion, outputs } of candidates) {
      const entry: JobEntry = {
        peer: { name: minion },
        result: { minion, state: "succeeded" },
        valueBytes: 0,
        outputs,
      };
      // retention, or somebody, may have taken the file away since
      const line = await slice.searchEntry(entry).catch((error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      });
      if (slice.isOver) break;
      if (line !== undefined) matches.push({ jobId, minion, line });
      Object.assign(at, { index: at.index + 1, part: 1, offset: 0 });
    }
    remaining.candidates = candidates.slice(at.index);
    at.index = 0;
  }

  private take(cursor: string): Remaining {
    const remaining = this.remembered.get(cursor);
    if (!remaining) {
      const message = 'jobs/searchAll: "cursor" is none of an answer, or the search was given up.';
      throw new FuncError("bad-argument", message, "Begin the search anew.");
    }
    this.remembered.delete(cursor);
    return remaining;
  }

  private remember(remaining: Remaining): string {
    const cursor = randomBytes(12).toString("hex");
    this.remembered.set(cursor, remaining);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= MAX_REMEMBERED) break;
      this.remembered.delete(oldest);
    }
    return cursor;
  }
}
