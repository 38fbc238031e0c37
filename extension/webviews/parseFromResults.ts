import type { FromResults } from "./resultsProtocol";

const MAX_NAME = 512;
const MAX_MINIONS = 100_000;
const MAX_SEARCH = 1_000;

/** A message of the webview, or undefined where it is none: a webview's messages are untrusted input. */
export function parseFromResults(message: unknown): FromResults | undefined {
  if (!isRecord(message)) return undefined;
  const { type, minion, minions, section, offset, search, text, view } = message;
  switch (type) {
    case "ready":
    case "cancel":
    case "cancelSearch":
    case "retry":
    case "runAgainOn":
    case "replay":
      return { type };
    case "watchLive":
      return { type, watch: message["watch"] === true };
    case "callAgain":
      if (minions === undefined) return { type };
      return isNames(minions) && minions.length > 0 ? { type, minions } : undefined;
    case "openInEditor":
      if (!isName(minion)) return undefined;
      return isName(section) ? { type, minion, section } : { type, minion };
    case "detail":
      return isName(minion) ? { type, minion, peek: message["peek"] === true } : undefined;
    case "page":
      return isName(minion) && isName(section) && isCount(offset)
        ? { type, minion, section, offset }
        : undefined;
    case "copy":
    case "export":
      return isNames(minions) ? { type, minions } : undefined;
    case "compare": {
      if (!isNames(minions) || minions.length !== 2) return undefined;
      const [left = "", right = ""] = minions;
      return { type, minions: [left, right] };
    }
    case "search":
      return isCount(search) && typeof text === "string" && text.length <= MAX_SEARCH
        ? { type, search, text }
        : undefined;
    case "view":
      return view === "output" || view === "minion" || view === "live" ? { type, view } : undefined;
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

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_MINIONS && value.every(isName);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
