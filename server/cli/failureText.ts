import type { MinionResult } from "../protocol/jobs";
import { firstNames } from "./firstNames";
import { renderFailure } from "./render";
import { nameWithWay } from "./resultWay";

/** So many with the same problem are told together. */
const FOLDED = 4;
/** Nobody was called there, for one and the same reason. */
const FOLDED_SKIPPED = 2;

/** How problems of many minions are told. */
export interface FailureStyle {
  /** Names the way to each minion as well. */
  tellsWay: boolean;
  /** Of many only the first ones are named. */
  namesFew: boolean;
}

/**
 * Results that are no values, for people, in their order: many with the same problem in one entry, all others each for
 * itself. Ends with a newline where there are any.
 */
export function failureText(results: readonly MinionResult[], style: FailureStyle): string {
  const groups = new Map<string, MinionResult[]>();
  for (const result of results) {
    const key = keyOf(result, style);
    const known = groups.get(key);
    if (known) known.push(result);
    else groups.set(key, [result]);
  }
  return [...groups.values()].map((group) => groupText(group, style)).join("");
}

function groupText(group: readonly MinionResult[], style: FailureStyle): string {
  const names = group.map((result) => result.minion).sort();
  const first = group.find((result) => result.minion === names[0]);
  if (first === undefined) return "";
  const { state, minion, error } = first;
  if (group.length < (state === "skipped" ? FOLDED_SKIPPED : FOLDED)) {
    return group.map((result) => singleText(result, style)).join("");
  }
  const head = `${group.length} ${state}`;
  const type = state === "failed" && error ? ` (${error.type})` : "";
  const who = style.tellsWay ? nameWithWay({ ...first, minion: head }) : head;
  const text = `${who}${type}: ${style.namesFew ? firstNames(names) : names.join(", ")}\n`;
  return `${text}${indented(whyText(minion, error?.message))}${indented(error?.nextStep)}`;
}

function singleText(result: MinionResult, { tellsWay }: FailureStyle): string {
  const { minion, state, error, progress } = result;
  const who = tellsWay ? nameWithWay(result) : minion;
  if (error) return renderFailure(who, state, error);
  const share = progress ? `, ${progress.done} of ${progress.total}` : "";
  return `${who}: ${state}${share}\n`;
}

/** What one of them says, where that names it as an example. */
function whyText(minion: string, message: string | undefined): string | undefined {
  if (message === undefined) return undefined;
  const prefix = [`${minion} was not called: `, `${minion}: `].find((text) =>
    message.startsWith(text),
  );
  const why = message.slice(prefix?.length ?? 0);
  return why.includes(minion) ? `such as: ${why}` : why;
}

function indented(text: string | undefined): string {
  return text === undefined || text === "" ? "" : `${text.replace(/^(?=.)/gm, "    ")}\n`;
}

/** The same for results that differ only in whose they are. */
function keyOf(result: MinionResult, { tellsWay }: FailureStyle): string {
  const { minion, state, error, digest, via, signed, progress } = result;
  const step = error?.nextStep?.replaceAll(minion, "\0");
  const way = tellsWay ? [via, signed] : [];
  const why = digest ?? error?.message.replaceAll(minion, "\0");
  return JSON.stringify([state, error?.type, why, step, way, progress]);
}
