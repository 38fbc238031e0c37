import { html, nothing, type TemplateResult } from "lit";
import type { DetailSection, ResultRow } from "../../extension/webviews/resultsProtocol";
import { factView } from "./detailView";
import { foldedDiff, type FoldedDiff } from "./foldedDiff";
import { hasOutput, type Group } from "./folding";
import { lineCount } from "./format";
import type { ResultsModel } from "./model";
import type { Peek } from "./peeks";
import { markedLine, type ItemActions } from "./rowView";

/** What a card shows below its heading. */
export interface GroupBody {
  content: TemplateResult;
  /** How the output differs from the majority's, in words. */
  difference?: string;
}

/** Lines of output on a card; the rest is a click away. */
const MAX_LINES = 12;

/** The output of a group of minions, its difference to the majority's, or what the problem is. */
export function groupBody(
  model: ResultsModel,
  group: Group,
  first: ResultRow,
  actions: ItemActions,
): GroupBody {
  const found = model.searches.current;
  const line = found?.lines.get(first.minion);
  if (found && line !== undefined) {
    return { content: html`<pre class="excerpt">${markedLine(line, found.text)}</pre>` };
  }
  const peek = model.peeks.of(group.key, first.minion);
  if (peek?.state !== "shown") return { content: waitingView(first, peek) };
  const { sections } = peek;
  if (!hasOutput(group)) return { content: problemView(sections) };
  const majority = model.majority();
  const diff =
    majority && majority.key !== group.key && majority.kind === group.kind
      ? differenceTo(model, majority, sections)
      : undefined;
  if (diff) return { content: diffView(diff, first.minion, actions), difference: wordsOf(diff) };
  return { content: outputView(sections, first.minion, actions) };
}

/** What is known without asking: the line that the list shows. */
function waitingView(row: ResultRow, peek: Peek | undefined): TemplateResult {
  if (peek?.state === "failed") return html`<p class="meta">${peek.message}</p>`;
  return row.explains
    ? html`<p>${row.text}</p>`
    : html`<pre class="excerpt">${row.text === "" ? " " : row.text}</pre>`;
}

function problemView(sections: readonly DetailSection[]): TemplateResult {
  // the error's name is for programs; an opened row has it
  const shown = sections.filter(({ key }) => key !== "error");
  return html`${shown.map((section) =>
    section.verbatim
      ? html`<pre class="excerpt">${firstLines(section.text).text}</pre>`
      : factView(section),
  )}`;
}

function outputView(
  sections: readonly DetailSection[],
  minion: string,
  actions: ItemActions,
): TemplateResult {
  const outputs = sections.filter(({ verbatim }) => verbatim);
  if (outputs.length === 0) return html`<p class="meta">No output.</p>`;
  return html`${outputs.map((section) => {
    const { text, leftOut } = firstLines(section.text);
    const cut = section.range !== undefined && section.range.end < section.range.total;
    return html`${outputs.length > 1 ? html`<p class="key">${section.title}</p>` : nothing}
      <pre class="excerpt">${text === "" ? " " : text}</pre>
      ${leftOut > 0 || cut ? moreView(cut ? undefined : leftOut, minion, actions) : nothing}`;
  })}`;
}

function moreView(lines: number | undefined, minion: string, actions: ItemActions): TemplateResult {
  const label = lines === undefined ? "Show all" : `${lineCount(lines)} more`;
  return html`<button
    type="button"
    class="link"
    @click=${() => actions.openInEditor(minion)}
    title="Open in an editor"
  >
    ${label}
  </button>`;
}

/** Both have to be known as a whole: a difference of beginnings would mislead. */
function differenceTo(
  model: ResultsModel,
  majority: Group,
  sections: readonly DetailSection[],
): FoldedDiff | undefined {
  const [representative] = majority.rows;
  const peek = representative && model.peeks.of(majority.key, representative.minion);
  if (peek?.state !== "shown") return undefined;
  return cachedDiff(peek.sections, sections);
}

const diffs = new WeakMap<
  readonly DetailSection[],
  [readonly DetailSection[], FoldedDiff | undefined]
>();

function cachedDiff(
  before: readonly DetailSection[],
  after: readonly DetailSection[],
): FoldedDiff | undefined {
  const known = diffs.get(after);
  if (known?.[0] === before) return known[1];
  const texts = [before, after].map(wholeText);
  const [left, right] = texts;
  const diff =
    left === undefined || right === undefined ? undefined : foldedDiff(left, right, MAX_LINES * 2);
  diffs.set(after, [before, diff]);
  return diff;
}

function wholeText(sections: readonly DetailSection[]): string | undefined {
  const outputs = sections.filter(({ verbatim }) => verbatim);
  if (outputs.some(({ range }) => range !== undefined)) return undefined;
  return outputs.map(({ text }) => text).join("");
}

function wordsOf({ changed }: FoldedDiff): string {
  return changed === 0
    ? "differs from the majority in its last line end"
    : `differs from the majority in ${lineCount(changed)}`;
}

const SPOKEN = { " ": nothing, "-": "majority: ", "+": "here: " } as const;

function diffView(diff: FoldedDiff, minion: string, actions: ItemActions): TemplateResult {
  return html`<div class="diff">
      ${diff.lines.map(({ sign, text }) => {
        // what stands between the tags may be laid out anew: only the inner element keeps its blanks
        const spoken = html`<span class="visually-hidden">${SPOKEN[sign]}</span>`;
        const shown = html`<span class="keep" aria-hidden="true">${sign} </span
          ><span class="keep">${text}</span>`;
        return html`<div class="diff-line ${CLASSES[sign]}">${spoken}${shown}</div>`;
      })}
    </div>
    ${diff.leftOut > 0 ? moreView(diff.leftOut, minion, actions) : nothing}`;
}

const CLASSES = { " ": "same", "-": "removed", "+": "added" } as const;

function firstLines(text: string): { text: string; leftOut: number } {
  const lines = text.replace(/\n$/, "").split("\n");
  return {
    text: lines.slice(0, MAX_LINES).join("\n"),
    leftOut: Math.max(0, lines.length - MAX_LINES),
  };
}
