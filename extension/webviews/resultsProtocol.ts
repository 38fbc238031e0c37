import type { SearchMatch } from "../../server/protocol/outputs";

/** How a row looks and which count it is part of. */
export type RowKind =
  | "succeeded"
  | "failed"
  | "unreachable"
  | "timed-out"
  | "denied"
  | "cancelled"
  | "lost"
  | "skipped"
  | "expired"
  | "running"
  | "waiting";

/** One minion in the list of results: short enough to send 10,000 of them. */
export interface ResultRow {
  minion: string;
  kind: RowKind;
  /** State in words, "exit 1" for a command that ran and failed. */
  label: string;
  /** The result or the problem in one line. */
  text: string;
  /** True where `text` is a sentence of ours about a problem, not output of the host. */
  explains?: boolean;
  durationMs?: number;
  /** What a running job last reported. */
  progress?: { done: number; total: number };
  /** The sub-overlords that the call went through, the first hop first. */
  via?: string[];
  /** Of delegated results: whether the host itself has signed it, `first` with a key seen for the first time. */
  signed?: "yes" | "first" | "no";
  /** Of final states: equal for results that are equal (MinionResult.digest). */
  digest?: string;
}

/** A part of an output that is too large to be shown whole. Positions are bytes. */
export interface ShownRange {
  offset: number;
  end: number;
  total: number;
}

/** One titled part of a minion's result; all of it is untrusted text. */
export interface DetailSection {
  /** Names it among the sections of this result: "stdout", "value", "problem" ... */
  key: string;
  title: string;
  text: string;
  /** Shown in the editor's fixed-width font, blanks and line ends kept. */
  verbatim: boolean;
  /** Present where `text` is only a part of the output. */
  range?: ShownRange;
}

/** What stands above the list. */
export interface ResultsHeader {
  jobId: string;
  /** "command.run("nginx -v")" */
  call: string;
  spec: string;
  startedAtMs: number;
  finishedAtMs?: number;
  finished: boolean;
  cancelRequested: boolean;
  total: number;
  /** What else there is to know: "in steps of 10%", "2nd attempt". */
  notes: string[];
  /** What was wrong at its start: it runs all the same. */
  warning?: string;
  /** Its commands write outputs that can be watched while they run. */
  live: boolean;
  /** Running is not possible: the workspace is not trusted. */
  readOnly: boolean;
}

/** How a search through the outputs goes; `matches` are new ones, in the job's order. */
export interface SearchProgress {
  /** The number that the webview gave the search. */
  search: number;
  matches: SearchMatch[];
  searched: number;
  total: number;
  state: "running" | "done" | "failed";
  /** Why it failed. */
  message?: string;
}

/** A line that a running command wrote. */
export interface LiveLine {
  minion: string;
  stream: "stdout" | "stderr";
  text: string;
}

/** How a job stood at some point in time: what the time slider moves over. Oldest first. */
export interface ReplayStep {
  atMs: number;
  minion: string;
  kind: RowKind;
  /** State in words; as in a row. */
  label: string;
}

/** What a context menu's entry does with the row or group that it was opened on. */
export type MenuAction = "copy" | "callAgain";

/** To the results webview. A hidden one loses messages: `snapshot` follows each `ready`. */
export type ToResults =
  /** All rows are new. Of a large job it has the first ones; the others follow as `delta`. */
  | { type: "snapshot"; header: ResultsHeader; rows: ResultRow[] }
  | { type: "delta"; header: ResultsHeader; rows: ResultRow[] }
  | { type: "detail"; minion: string; peek: boolean; sections: DetailSection[] }
  | { type: "detailFailed"; minion: string; peek: boolean; message: string; nextStep?: string }
  /** Another part of one section of an opened detail. */
  | { type: "page"; minion: string; section: string; text: string; range: ShownRange }
  | ({ type: "search" } & SearchProgress)
  /** New lines of the live output; `notes`: whose output cannot be followed, and why. */
  | { type: "live"; lines: LiveLine[]; notes: string[] }
  /** A part of all steps; `complete`: the last one. */
  | { type: "replay"; steps: ReplayStep[]; complete: boolean; problem?: string }
  | { type: "menu"; action: MenuAction; item: string }
  /** The job cannot be shown (any more). */
  | { type: "lost"; jobId: string; message: string; nextStep?: string };

/** The results by what they say, equal ones together, or one by one. */
export type ResultsView = "output" | "minion" | "live";

/** From the results webview. `minions` are names in the order shown. */
export type FromResults =
  | { type: "ready" }
  | { type: "cancel" }
  /** Those without a result once more, within this job. */
  | { type: "retry" }
  | { type: "runAgainOn" }
  /** The live output is looked at, from its beginning, or no longer. */
  | { type: "watchLive"; watch: boolean }
  /** All steps of the job, for the time slider. */
  | { type: "replay" }
  /** Without `minions`: on the same targets as before. */
  | { type: "callAgain"; minions?: string[] }
  /** `peek`: only how it begins. */
  | { type: "detail"; minion: string; peek: boolean }
  | { type: "page"; minion: string; section: string; offset: number }
  /** `section`: one output of several. */
  | { type: "openInEditor"; minion: string; section?: string }
  | { type: "copy"; minions: string[] }
  | { type: "export"; minions: string[] }
  | { type: "compare"; minions: [string, string] }
  | { type: "search"; search: number; text: string }
  | { type: "cancelSearch" }
  /** What new panels shall begin with. */
  | { type: "view"; view: ResultsView };

/** What the list can be sorted by. */
export type SortColumn = "state" | "minion" | "result" | "time";

/** What the webview keeps over a reload; only `jobId` matters to the host. */
export interface ResultsState {
  jobId: string;
  view?: string;
  filter?: string;
  kind?: string;
  sort?: { by: string; descending: boolean };
  /** Dropped where there are too many. */
  selected?: string[];
  /** True where the filter's text was searched for in the outputs. */
  searching?: boolean;
}
