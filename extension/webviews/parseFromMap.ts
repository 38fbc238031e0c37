import type { FromMap, HostAction } from "./mapProtocol";

const MAX_NAME = 512;
/** As deep as maps are read. */
const MAX_PATH = 64;

const ACTIONS: readonly HostAction[] = [
  "runCommand",
  "callMethod",
  "ping",
  "openResults",
  "copyName",
];

/** A message of the webview, or undefined where it is none: a webview's messages are untrusted input. */
export function parseFromMap(message: unknown): FromMap | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  const { type } = message;
  switch (type) {
    case "ready":
    case "refresh":
    case "build":
    case "openFile":
      return { type };
    case "selected":
    case "act": {
      const path = "path" in message ? parsePath(message.path) : undefined;
      if (!path) return undefined;
      if (type === "selected") return { type, path };
      const wanted: unknown = "action" in message ? message.action : undefined;
      const action = ACTIONS.find((known) => known === wanted);
      return action && { type, action, path };
    }
    default:
      return undefined;
  }
}

/** Names from the first host on; undefined where it is no such list. */
export function parsePath(path: unknown): string[] | undefined {
  if (!Array.isArray(path) || path.length === 0 || path.length > MAX_PATH) return undefined;
  return path.every(isName) ? path : undefined;
}

function isName(name: unknown): name is string {
  return typeof name === "string" && name.length > 0 && name.length <= MAX_NAME;
}
