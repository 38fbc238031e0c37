import { FuncError } from "../common/errors";
import { helpOf } from "./help";

/** One option of a command line; `set` may throw FuncError "bad-argument". */
export type OptionRule =
  | { names: readonly string[]; kind: "flag"; set: () => void }
  | { names: readonly string[]; kind: "value"; set: (value: string) => void };

/** Takes a command line apart word by word, so that each command decides where its options end. */
export class OptionReader {
  readonly #rules = new Map<string, OptionRule>();
  readonly #words: string[];
  #operandsOnly = false;

  constructor(words: readonly string[], rules: readonly OptionRule[]) {
    this.#words = [...words];
    this.add(rules);
  }

  /** From here on these options are known too. */
  add(rules: readonly OptionRule[]): void {
    for (const rule of rules) for (const name of rule.names) this.#rules.set(name, rule);
  }

  /** From here on these options are known no more. */
  remove(rules: readonly OptionRule[]): void {
    for (const rule of rules) for (const name of rule.names) this.#rules.delete(name);
  }

  /** The first word that is no option, as `next` gives it; a "--" in front of it is for that word alone. */
  first(): { word: string; escaped: boolean } | undefined {
    const first = this.next();
    this.#operandsOnly = false;
    return first;
  }

  /**
   * Reads options up to the next word that is none, and returns that word; undefined at the end. What
   * follows "--" is no option: `escaped` is true then.
   */
  next(): { word: string; escaped: boolean } | undefined {
    for (;;) {
      const word = this.#words.shift();
      if (word === undefined) return undefined;
      if (this.#operandsOnly) return { word, escaped: true };
      if (word === "--") this.#operandsOnly = true;
      else if (!word.startsWith("-") || word === "-") return { word, escaped: false };
      else if (word.startsWith("--")) this.#long(word);
      else this.#short(word);
    }
  }

  /** Every word that is left, as it stands; a "--" in front of them is dropped. */
  rest(): string[] {
    const rest = this.#words.splice(0);
    return rest[0] === "--" ? rest.slice(1) : rest;
  }

  #long(word: string): void {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const rule = this.#rule(name);
    if (rule.kind === "value") {
      rule.set(equals < 0 ? this.#value(name) : word.slice(equals + 1));
    } else if (equals < 0) {
      rule.set();
    } else {
      throw new FuncError("bad-argument", `The option ${name} takes no value.`);
    }
  }

  /** `-t 5`, `-t5` and flags together as in `-aj`. */
  #short(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const name = `-${word.charAt(at)}`;
      const rule = this.#rule(name);
      if (rule.kind === "flag") {
        rule.set();
        continue;
      }
      const attached = word.slice(at + 1);
      rule.set(attached === "" ? this.#value(name) : attached.replace(/^=/, ""));
      return;
    }
  }

  #rule(name: string): OptionRule {
    const rule = this.#rules.get(name);
    if (rule) return rule;
    throw new FuncError(
      "bad-argument",
      ORIGINAL_OPTIONS.has(name)
        ? `The option ${name} of the original func is not available in this version.`
        : `There is no option ${name} here.`,
      `${helpOf()} Options come before MODULE; what follows METHOD is passed on as it is.`,
    );
  }

  #value(name: string): string {
    const value = this.#words.shift();
    if (value === undefined) {
      throw new FuncError("bad-argument", `The option ${name} needs a value.`);
    }
    return value;
  }
}

const ORIGINAL_OPTIONS = new Set(
  (
    "-c --conf -v -x --xmlrpc -p --pickle -b --basic --sort -d --delegate " +
    "-l --logpoll -o --logone -r --progress --filter --filteror"
  ).split(" "),
);
