import type { LiveLine } from "../../extension/webviews/resultsProtocol";

/** Older lines go: the results have them whole. */
const MAX_LINES = 20_000;
/** So that not every new line moves all others. */
const SLACK = 2_000;

/** The lines that running commands wrote, as far back as they are kept, and those that a filter lets through. */
export class LiveLines {
  notes: readonly string[] = [];
  /** Lines that are not kept any more. */
  dropped = 0;
  private lines: LiveLine[] = [];
  private filter = "";
  private matching: LiveLine[] | undefined;

  get size(): number {
    return this.lines.length;
  }

  clear(): void {
    this.lines = [];
    this.notes = [];
    this.dropped = 0;
    this.matching = undefined;
  }

  add(lines: readonly LiveLine[]): void {
    for (const line of lines) this.lines.push(line);
    const surplus = this.lines.length - MAX_LINES;
    if (surplus > SLACK) {
      this.lines.splice(0, surplus);
      this.dropped += surplus;
      this.matching = undefined;
    } else if (this.matching && this.filter !== "") {
      this.matching.push(...lines.filter((line) => this.matches(line)));
    } else {
      this.matching = undefined;
    }
  }

  /** Those whose minion or text contains `filter`, without case. */
  shown(filter: string): readonly LiveLine[] {
    const wanted = filter.trim().toLowerCase();
    if (wanted !== this.filter) {
      this.filter = wanted;
      this.matching = undefined;
    }
    if (wanted === "") return this.lines;
    this.matching ??= this.lines.filter((line) => this.matches(line));
    return this.matching;
  }

  private matches({ minion, text }: LiveLine): boolean {
    return minion.toLowerCase().includes(this.filter) || text.toLowerCase().includes(this.filter);
  }
}
