import { integer, minValue, number, object, optional, parse, pipe, string } from "valibot";
import { FuncError } from "../../common/errors";
import { minionGlob, type NamedMinion } from "../minionGlob";
import { lineAround, LiteralFinder } from "../search/literalFinder";
import { valueTexts } from "../outputs/valueTexts";
import { latestRows } from "./dayQueries";
import { isFinal, type ResultDetail, type ResultRow } from "./dayRows";
import { matchingJobs, type ListPlace } from "./jobIndexQueries";
import type { FoundJob, StoreDatabases } from "./storeDatabases";
import type { StoreRequests, StoreSearch } from "./workerProtocol";

type SearchParams = StoreRequests["searchSlice"]["params"];

const SLICE_MS = 100;
const ROWS_AT_A_TIME = 64;
const MAX_MATCHES = 1_000;
const MAX_CANDIDATES = 100;

const CURSOR = object({
  searched: number(),
  after: optional(object({ createdAtMs: number(), id: string() })),
  current: optional(object({ id: string(), place: pipe(number(), integer(), minValue(0)) })),
});

interface Finding {
  line?: string;
  outputs?: ResultDetail["outputs"];
}

/** Its id, and the place of the minion to go on with. */
interface SearchedJob {
  id: string;
  place: number;
}

interface SearchPlace {
  searched: number;
  /** The last job that was searched whole. */
  after?: ListPlace;
  current?: SearchedJob;
}

/**
 * Searches the results of the jobs that fit, newest job first, for a tenth of a second; where minions are asked
 * for, only theirs. Throws FuncError "bad-argument" for a cursor that is none.
 */
export function searchSlice(
  databases: StoreDatabases,
  { text, matchCase = false, query, cursor }: SearchParams,
): StoreSearch {
  const slice = new SearchSlice(
    new LiteralFinder(text, matchCase),
    query.minion === undefined ? undefined : minionGlob(query.minion).means,
  );
  const at = placeOf(cursor);
  for (const { id, createdAtMs } of matchingJobs(databases, query, at.after)) {
    // the first one is searched at least in part: a slice gets on
    if (slice.isOver) return slice.answer(at.searched, at);
    const from = at.current?.id === id ? at.current.place : 0;
    const found = findOrSkip(databases, id);
    const place = found ? slice.searchJob(id, found, from) : undefined;
    if (place !== undefined) return slice.answer(at.searched, { ...at, current: { id, place } });
    at.searched++;
    at.after = { createdAtMs, id };
    at.current = undefined;
  }
  return slice.answer(at.searched);
}

class SearchSlice {
  private readonly matches: StoreSearch["matches"] = [];
  private readonly candidates: StoreSearch["candidates"] = [];
  private readonly startedMs = performance.now();
  /** By hash: equal outputs are searched once. */
  private readonly known = new Map<string, Finding>();

  constructor(
    private readonly finder: LiteralFinder,
    private readonly isMeant: (minion: NamedMinion) => boolean = () => true,
  ) {}

  get isOver(): boolean {
    return (
      performance.now() - this.startedMs > SLICE_MS ||
      this.matches.length >= MAX_MATCHES ||
      this.candidates.length >= MAX_CANDIDATES
    );
  }

  answer(searched: number, next?: SearchPlace): StoreSearch {
    const { matches, candidates } = this;
    const cursor = next && Buffer.from(JSON.stringify(next)).toString("base64url");
    return { matches, candidates, searched, ...(cursor !== undefined && { next: cursor }) };
  }

  /** Gives the place to go on with; undefined at the job's end. */
  searchJob(jobId: string, { day, job }: FoundJob, from: number): number | undefined {
    for (let place = from; place < job.total; place += ROWS_AT_A_TIME) {
      if (place > from && this.isOver) return place;
      for (const row of latestRows(day, job, place, ROWS_AT_A_TIME)) {
        if (!isFinal(row.state)) continue;
        const minion = job.roster.minions[row.place];
        if (minion && this.isMeant(minion)) this.searchRow(jobId, minion.name, row, day);
      }
    }
    return undefined;
  }

  private searchRow(jobId: string, minion: string, row: ResultRow, day: FoundJob["day"]): void {
    const key = row.hash && Buffer.from(row.hash).toString("latin1");
    let found = key === undefined ? undefined : this.known.get(key);
    if (!found) {
      found = this.searchText(row.detail ?? (row.hash && textOrNothing(row.hash, day)));
      if (key !== undefined) this.known.set(key, found);
    }
    if (found.line !== undefined) this.matches.push({ jobId, minion, line: found.line });
    else if (found.outputs) this.candidates.push({ jobId, minion, outputs: [...found.outputs] });
  }

  private searchText(text = ""): Finding {
    // in most there is nothing to find, which is seen faster in the JSON; only bytes and outputs are not in it as text
    const isPlain = !text.includes('"$');
    if (text === "" || (isPlain && !this.finder.find(text, true))) return {};
    const detail = JSON.parse(text) as ResultDetail;
    return { line: this.lineIn(detail), outputs: detail.outputs };
  }

  private lineIn({ value, error }: ResultDetail): string | undefined {
    const texts = error ? [error.message, error.trace] : valueTexts(value ?? "");
    for (const text of texts) {
      const found = this.finder.find(text);
      if (found) return lineAround(text, found);
    }
    return undefined;
  }
}

/** What is damaged is found by nothing. */
function textOrNothing(hash: Uint8Array, day: FoundJob["day"]): string | undefined {
  try {
    return day.textOf(hash);
  } catch {
    return undefined;
  }
}

function findOrSkip(databases: StoreDatabases, id: string): FoundJob | undefined {
  try {
    return databases.find(id);
  } catch {
    return undefined;
  }
}

function placeOf(cursor: string | undefined): SearchPlace {
  if (cursor === undefined) return { searched: 0 };
  try {
    return parse(CURSOR, JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch {
    throw new FuncError("bad-argument", 'jobs/searchAll: "cursor" is none of an answer.');
  }
}
