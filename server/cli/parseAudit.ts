import { sinceTime } from "../common/auditText";
import type { OptionReader } from "./optionReader";
import type { Command } from "./parse";
import { nothingMore, reservedUsage, usage, wholeNumber } from "./parseSteps";

const MAX_LINES = 1_000_000;

/** What follows `func audit`. Throws FuncError "bad-argument". */
export function parseAudit(reader: OptionReader): Command {
  const asked: { last?: number; sinceMs?: number } = {};
  const action = reader.next()?.word;
  if (action === "verify") {
    nothingMore(reader);
    return { kind: "auditVerify" };
  }
  if (action !== "show") throw reservedUsage("audit", "show or verify", action);
  reader.add([
    {
      names: ["--last"],
      kind: "value",
      set: (value) => (asked.last = wholeNumber("--last", value, MAX_LINES)),
    },
    { names: ["--since"], kind: "value", set: (value) => (asked.sinceMs = since(value)) },
  ]);
  nothingMore(reader);
  if (asked.last !== undefined && asked.sinceMs !== undefined) {
    throw usage("--last does not go with --since.");
  }
  return { kind: "auditShow", ...asked };
}

function since(text: string): number {
  const ms = sinceTime(text);
  if (ms !== undefined) return ms;
  throw usage(`--since needs a time such as 2026-11-22T08:30Z, 30m, 2h or 7d, not "${text}".`);
}
