/** How a host stands. */
export type HostKind = "online" | "unreachable" | "unknown";

/**
 * The delegation map as lists: a host is its place in them. The first is this overlord; each stands behind the
 * one above it, which comes before it.
 */
export interface ShownMap {
  file: string;
  changedAtMs: number;
  /** Why the file itself cannot be used: this is the last good map. */
  problem?: string;
  names: string[];
  /** Places of those above; -1 for the first. */
  parents: number[];
  /** Running is not possible: the workspace is not trusted. */
  readOnly: boolean;
}

/** What is known of one host of the map. */
export interface HostState {
  place: number;
  kind: HostKind;
  /** Why it is unreachable. */
  problem?: string;
  lastSeenMs?: number;
  /** Point in time at which its certificate ends. */
  certificateEndMs?: number;
  /** Jobs that run on it, or on hosts behind it. */
  running: number;
}

/** A call that has come to an end on a host. */
export interface EndedCall {
  place: number;
  well: boolean;
}

/** To the map's webview. A hidden one loses messages: all that there is follows each `ready`. */
export type ToMap =
  /** `version`: later messages with another one are about an earlier map. */
  | { type: "map"; version: number; map: ShownMap }
  /** There is no map to show. */
  | { type: "noMap"; missing: boolean; message: string; nextStep?: string; readOnly: boolean }
  /** Hosts that stand differently than was told before. */
  | { type: "states"; version: number; states: HostState[] }
  /** `under`: all hosts that are being called; `ended`: since the last time. */
  | { type: "calls"; version: number; under: number[]; ended: EndedCall[] }
  /** Selects a host and brings its call path into view. */
  | { type: "show"; path: string[] }
  /** Through whom a call to the host at `path` goes, itself last. */
  | { type: "callPath"; path: string[]; hops: string[] };

/** What can be done with a host of the map. */
export type HostAction = "runCommand" | "callMethod" | "ping" | "openResults" | "copyName";

/** From the map's webview. A host is named by the names from the first below this overlord on; none for itself. */
export type FromMap =
  | { type: "ready" }
  | { type: "refresh" }
  | { type: "build" }
  /** Shows the map's file as text. */
  | { type: "openFile" }
  /** A host was selected: what is known of it, and how calls to it go, is to be looked up. */
  | { type: "selected"; path: string[] }
  | { type: "act"; action: HostAction; path: string[] };

/** What the webview keeps over a reload: names only. */
export interface MapPanelState {
  version: 1;
  selected?: string[];
  /** Paths of the hosts whose minions show; absent where it is as at first. */
  expanded?: string[][];
  query?: string;
  list?: boolean;
  view?: { x: number; y: number; scale: number; across: number };
}
