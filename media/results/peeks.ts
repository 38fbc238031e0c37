import type { DetailSection } from "../../extension/webviews/resultsProtocol";

/** How one result begins, or why that is not known. */
export type Peek =
  | { state: "loading" }
  | { state: "shown"; sections: readonly DetailSection[] }
  | { state: "failed"; message: string };

/** Beginnings kept; one has at most some kilobytes. */
const MAX_KEPT = 400;
/** Asked for at a time: while one scrolls, what is in sight now must not wait for what was. */
const MAX_ASKED = 6;

/** The beginnings of the results that groups show, asked for as the groups come into sight. */
export class Peeks {
  private readonly known = new Map<string, Peek>();
  private readonly asked = new Set<string>();
  /** For each minion that is asked, the group that it answers for. */
  private readonly minionGroups = new Map<string, string>();

  constructor(private readonly ask: (minion: string) => void) {}

  /** What is known of the group with this key; asks for it at its first minion where nothing is. */
  of(groupKey: string, minion: string): Peek | undefined {
    const known = this.known.get(groupKey);
    if (known) return known;
    if (this.asked.size >= MAX_ASKED) return undefined;
    this.asked.add(minion);
    this.set(groupKey, { state: "loading" });
    this.minionGroups.set(minion, groupKey);
    this.ask(minion);
    return this.known.get(groupKey);
  }

  /** Takes the answer for a minion. */
  take(minion: string, peek: Peek): void {
    this.asked.delete(minion);
    const groupKey = this.minionGroups.get(minion);
    this.minionGroups.delete(minion);
    if (groupKey !== undefined) this.set(groupKey, peek);
  }

  /** Forgets everything: the host has begun anew, and answers to earlier questions may never come. */
  clear(): void {
    this.known.clear();
    this.asked.clear();
    this.minionGroups.clear();
  }

  private set(groupKey: string, peek: Peek): void {
    this.known.delete(groupKey);
    this.known.set(groupKey, peek);
    const [oldest] = this.known.keys();
    if (this.known.size > MAX_KEPT && oldest !== undefined) this.known.delete(oldest);
  }
}
