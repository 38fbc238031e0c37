/** How a row looks and which count it is part of. */
export type RowKind =
  | "succeeded"
  | "failed"
  | "unreachable"
  | "timed-out"
  | "denied"
  | "cancelled"
  | "lost"
  | "running"
  | "waiting";

/** One minion in the list of results: short enough to send 5,000 of them. */
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
}

/** One titled part of a minion's result; all of it is untrusted text. */
export interface DetailSection {
  title: string;
  text: string;
  /** Shown in the editor's fixed-width font, blanks and line ends kept. */
  verbatim: boolean;
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
  /** Running is not possible: the workspace is not trusted. */
  readOnly: boolean;
}

/** To the results webview. A hidden one loses messages: `snapshot` follows each `ready`. */
export type ToResults =
  | { type: "snapshot"; header: ResultsHeader; rows: ResultRow[] }
  | { type: "delta"; header: ResultsHeader; rows: ResultRow[] }
  | { type: "detail"; minion: string; sections: DetailSection[]; leftOut: number }
  | { type: "detailFailed"; minion: string; message: string; nextStep?: string }
  /** The job cannot be shown (any more). */
  | { type: "lost"; jobId: string; message: string; nextStep?: string };

/** From the results webview. */
export type FromResults =
  | { type: "ready" }
  | { type: "cancel" }
  | { type: "callAgain" }
  | { type: "detail"; minion: string; whole: boolean }
  | { type: "openInEditor"; minion: string };

/** What the webview keeps over a reload; only `jobId` matters to the host. */
export interface ResultsState {
  jobId: string;
  filter?: string;
  kind?: string;
}

const MAX_NAME = 512;

/** A message of the webview, or undefined where it is none: a webview's messages are untrusted input. */
export function parseFromResults(message: unknown): FromResults | undefined {
  if (!isRecord(message)) return undefined;
  const { type, minion, whole } = message;
  switch (type) {
    case "ready":
    case "cancel":
    case "callAgain":
      return { type };
    case "openInEditor":
      return isName(minion) ? { type, minion } : undefined;
    case "detail":
      return isName(minion) ? { type, minion, whole: whole === true } : undefined;
    default:
      return undefined;
  }
}

/** The job of a panel that VS Code restores after a reload, or undefined where the state is damaged. */
export function parseResultsState(state: unknown): { jobId: string } | undefined {
  if (!isRecord(state) || !isName(state["jobId"])) return undefined;
  return { jobId: state["jobId"] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_NAME;
}
