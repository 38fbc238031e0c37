import type { SearchProgress } from "../../extension/webviews/resultsProtocol";

/** A search through the outputs, as far as it has got. */
export interface OutputSearch {
  text: string;
  /** The first matching line by minion. */
  lines: ReadonlyMap<string, string>;
  searched: number;
  total: number;
  state: SearchProgress["state"] | "cancelled";
  message?: string;
  /** The job had not ended when the search began: later results were not searched. */
  early: boolean;
}

/** Numbers the searches, so that an answer to an earlier one is told apart. */
export class OutputSearches {
  current: OutputSearch | undefined;
  private number = 0;

  /** Begins a search and gives its number. */
  begin(text: string, early: boolean): number {
    this.current = { text, lines: new Map(), searched: 0, total: 0, state: "running", early };
    return ++this.number;
  }

  /** Takes what was found; false where it belongs to another search. */
  take(progress: SearchProgress): boolean {
    const { current } = this;
    if (!current || progress.search !== this.number || current.state !== "running") return false;
    const lines = new Map(current.lines);
    for (const { minion, line } of progress.matches) lines.set(minion, line);
    const { searched, total, state, message } = progress;
    this.current = { ...current, lines, searched, total, state, message };
    return true;
  }

  /** Stops the search; what was found stays. */
  cancel(): void {
    if (this.current?.state === "running") this.current = { ...this.current, state: "cancelled" };
  }

  end(): void {
    this.current = undefined;
    this.number++;
  }
}

/** A line in three pieces, the middle one being the match; undefined where it is not in there. */
export function splitMatch(line: string, text: string): [string, string, string] | undefined {
  const at = line.toLowerCase().indexOf(text.toLowerCase());
  if (at < 0 || text === "") return undefined;
  return [line.slice(0, at), line.slice(at, at + text.length), line.slice(at + text.length)];
}
