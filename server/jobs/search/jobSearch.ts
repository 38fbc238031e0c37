import { FuncError } from "../../common/errors";
import type { SearchMatch } from "../../protocol/outputs";
import type { OverlordRequests } from "../../protocol/requests";
import { entriesOf, type JobView } from "../jobView";
import { LiteralFinder } from "./literalFinder";
import type { OutputFiles } from "../outputs/outputFiles";
import { SearchSlice, type Findings, type Position } from "./searchSlice";

type SearchParams = OverlordRequests["jobs/search"]["params"];
type SearchAnswer = OverlordRequests["jobs/search"]["result"];

const MAX_MATCHES = 1_000;
/** Searches whose findings in outputs are kept for the answers to come. */
const MAX_REMEMBERED = 8;
const CURSOR = /^(\d{1,9})\.(\d{1,9})\.(\d{1,15})$/;

/** Searches the results of jobs, a slice at a time. */
export class JobSearch {
  private readonly remembered = new Map<string, Findings>();

  constructor(private readonly files: OutputFiles) {}

  /**
   * Goes on from the cursor for a fraction of a second. Throws FuncError "bad-argument" for a cursor that
   * is none, "cancelled", "not-found" where the job was forgotten meanwhile.
   */
  async search(
    job: JobView,
    { text, matchCase = false, cursor }: Omit<SearchParams, "jobId">,
    signal: AbortSignal,
  ): Promise<SearchAnswer> {
    const { total } = job.summary();
    const findings = this.findings(JSON.stringify([job.id, matchCase, text]));
    const finder = new LiteralFinder(text, matchCase);
    const at = positionOf(cursor);
    const slice = new SearchSlice(this.files, finder, findings, at, signal);
    const matches: SearchMatch[] = [];
    for await (const entry of entriesOf(job, at.index)) {
      if (matches.length >= MAX_MATCHES) break;
      const line = await slice.searchEntry(entry);
      if (slice.isOver) break;
      if (line !== undefined) matches.push({ minion: entry.result.minion, line });
      Object.assign(at, { index: at.index + 1, part: 0, offset: 0 });
    }
    const searched = Math.min(at.index, total);
    const answer = { matches, searched, total };
    if (searched === total) return answer;
    return { ...answer, next: `${at.index}.${at.part}.${at.offset}` };
  }

  private findings(key: string): Findings {
    const findings = this.remembered.get(key) ?? new Map<string, string | undefined>();
    this.remembered.delete(key);
    this.remembered.set(key, findings);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= MAX_REMEMBERED) break;
      this.remembered.delete(oldest);
    }
    return findings;
  }
}

function positionOf(cursor: string | undefined): Position {
  if (cursor === undefined) return { index: 0, part: 0, offset: 0 };
  const parts = CURSOR.exec(cursor);
  if (!parts) throw new FuncError("bad-argument", 'jobs/search: "cursor" is none of an answer.');
  return { index: Number(parts[1]), part: Number(parts[2]), offset: Number(parts[3]) };
}
