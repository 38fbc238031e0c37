import type { ResultRow } from "../../extension/webviews/resultsProtocol";

/** What stands in the filter box, understood. */
export interface RowFilter {
  /** Whether `state:`, `host:` and `exit:` let the row through. */
  fields: (row: ResultRow) => boolean;
  /** Whether the plain words let it through too. */
  words: (row: ResultRow) => boolean;
  /** The plain words as they are searched for in outputs. */
  text: string;
}

type RowTest = (row: ResultRow) => boolean;

/** A field with its value, a quoted text, or a word. */
const TERM = /(state|host|exit):("[^"]*"?|\S*)|"([^"]*)"?|\S+/gi;

/** `state:failed host:web-1* "no such file"`: all terms must match; case does not matter. */
export function parseFilter(input: string): RowFilter {
  const fields: RowTest[] = [];
  const texts: string[] = [];
  for (const [term, field, value, quoted] of input.matchAll(TERM)) {
    if (field !== undefined && value !== undefined) {
      const test = fieldTest(field.toLowerCase(), value.replaceAll('"', "").toLowerCase());
      if (test) fields.push(test);
    } else {
      texts.push(quoted ?? term);
    }
  }
  const words = texts.filter((text) => text !== "").map((text) => text.toLowerCase());
  return {
    fields: (row) => fields.every((test) => test(row)),
    words: (row) => words.length === 0 || containsAll(row, words),
    text: texts.join(" "),
  };
}

/** Nothing behind the colon yet: everything shows. */
function fieldTest(field: string, value: string): RowTest | undefined {
  if (value === "") return undefined;
  switch (field) {
    case "state":
      return ({ kind, label }) => kind.startsWith(value) || label.toLowerCase().startsWith(value);
    case "exit":
      return ({ label }) => label === `exit ${value}`;
    default: {
      const glob = globPattern(value);
      return ({ minion }) => glob.test(minion);
    }
  }
}

function containsAll({ minion, label, text }: ResultRow, words: readonly string[]): boolean {
  const haystack = `${minion}\n${label}\n${text}`.toLowerCase();
  return words.every((word) => haystack.includes(word));
}

/** `*` and `?`; a text without them is looked for at the beginning of the name. */
function globPattern(glob: string): RegExp {
  const whole = /[*?]/.test(glob);
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}${whole ? "$" : ""}`, "i");
}
