import { html, nothing, type TemplateResult } from "lit";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import type { Group } from "./folding";

const SIGNED = "The host itself has signed this result: nobody on the way has made or changed it.";

/** Through whom a delegated call went, and whether its result is the host's own word. */
export function viaView({ via = [], signed }: ResultRow): TemplateResult | typeof nothing {
  const overlord = via.at(-1);
  if (overlord === undefined) return nothing;
  const way = via.length > 1 ? via.join(" › ") : overlord;
  const called = `Called through ${way}.`;
  return signed === "yes"
    ? html`<span class="via" title="${called} ${SIGNED}"
        >via ${way}<span class="visually-hidden">, signed by the host</span></span
      >`
    : html`<span class="via" title=${called}>via ${way}</span>${markOf(signed, overlord)}`;
}

/** Of how many of a group's results only their overlords say whose they are. */
export function unsignedView(group: Group): TemplateResult | typeof nothing {
  const count = unsignedIn(group);
  if (count === 0) return nothing;
  return markView(
    `${count.toLocaleString()} unsigned`,
    "These hosts have not signed their results: that they are theirs, only the overlords above them say. " +
      "Arrange the results by minion to see which.",
  );
}

/** Counted once for each folding. */
const counts = new WeakMap<Group, number>();

function unsignedIn(group: Group): number {
  const known = counts.get(group);
  if (known !== undefined) return known;
  const count = group.rows.filter(({ signed }) => signed === "no").length;
  counts.set(group, count);
  return count;
}

function markOf(signed: ResultRow["signed"], overlord: string): TemplateResult | typeof nothing {
  switch (signed) {
    case "no":
      return markView(
        "unsigned",
        `The host has not signed this result: that it is the host's, only ${overlord} says. ` +
          "Hosts with the original's funcd, or an old one, cannot sign: with an up-to-date one it will.",
      );
    case "first":
      return markView(
        "new key",
        "Signed with a key that was seen for the first time: whether it is the host's, " +
          `only ${overlord} says. From now on the host is known by it. ` +
          "Where nobody has set the host up anew, look there before you rely on the result.",
      );
    default:
      return nothing;
  }
}

function markView(text: string, explanation: string): TemplateResult {
  return html`<span class="mark" title=${explanation}
    >${text}<span class="visually-hidden">: ${explanation}</span></span
  >`;
}
