import { html, nothing, type TemplateResult } from "lit";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";

/** Through whom a delegated call went, and whether its result is the host's own word. */
export function viaView({ via = [], signed }: ResultRow): TemplateResult | typeof nothing {
  const overlord = via.at(-1);
  if (overlord === undefined) return nothing;
  const way = via.length > 1 ? via.join(" › ") : overlord;
  return html`<span class="via" title=${`Called through ${way}`}>via ${way}</span>${markOf(
      signed,
      overlord,
    )}`;
}

function markOf(signed: ResultRow["signed"], overlord: string): TemplateResult | typeof nothing {
  switch (signed) {
    case "no":
      return markView(
        "unsigned",
        `The host has not signed this result: that it is the host's, only ${overlord} says. ` +
          "Hosts with the original's funcd, or an old one, cannot sign.",
      );
    case "first":
      return markView(
        "new key",
        "Signed with a key that was seen for the first time: whether it is the host's, " +
          `only ${overlord} says. From now on the host is known by it.`,
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
