import type { MinionResult } from "../../server/protocol/jobs";
import type { DetailSection } from "../webviews/resultsProtocol";
import { plainProblem } from "./plainProblem";
import { commandResult } from "./commandResult";
import { valueText } from "./resultRow";

export interface ResultDetail {
  sections: DetailSection[];
  /** Characters that were left out; ask for the whole to get them. */
  leftOut: number;
}

/** What an opened row shows at first: more makes a webview slow, and is asked for with "Show All". */
export const DETAIL_CHARS = 64_000;
/** What a webview ever gets; beyond it "Open in Editor" is the place. */
export const WHOLE_CHARS = 5_000_000;

/** Everything there is to say about one minion's result; each output is cut to `maxChars` characters. */
export function resultDetail(
  result: MinionResult,
  module: string,
  method: string,
  maxChars: number,
): ResultDetail {
  let leftOut = 0;
  const sections = sectionsOf(result, module, method).map((section) => {
    const text = section.verbatim ? section.text.slice(0, maxChars) : section.text;
    leftOut += section.text.length - text.length;
    return { ...section, text };
  });
  return { sections, leftOut };
}

/** The whole result as one text document. */
export function resultDocument(result: MinionResult, module: string, method: string): string {
  const sections = sectionsOf(result, module, method);
  const [only] = sections;
  if (sections.length === 1 && only) return only.text;
  return sections.map(({ title, text }) => `# ${title}\n${text}`).join("\n");
}

function sectionsOf(result: MinionResult, module: string, method: string): DetailSection[] {
  const { error } = result;
  if (error) {
    return [
      { title: "Problem", text: plainProblem(error.message) || error.type, verbatim: false },
      { title: "What to do", text: error.nextStep ?? "", verbatim: false },
      { title: "Error", text: error.type, verbatim: false },
      { title: "Trace of the minion", text: error.trace.trimEnd(), verbatim: true },
    ].filter(({ text }) => text !== "");
  }
  if (result.state !== "succeeded") {
    return [{ title: "State", text: "No result yet.", verbatim: false }];
  }
  const command = commandResult(result.value, module, method);
  if (!command) {
    return [{ title: "Result", text: valueText(result.value, 2), verbatim: true }];
  }
  const outputs = [
    { title: "Output (stdout)", text: command.stdout, verbatim: true },
    { title: "Errors (stderr)", text: command.stderr, verbatim: true },
  ].filter(({ text }) => text !== "");
  const exit = String(command.exitStatus);
  return [...outputs, { title: "Exit status", text: exit, verbatim: false }];
}
