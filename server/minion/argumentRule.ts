import { fnmatchCase } from "../targets/fnmatch";
import { XmlRpcDouble, type XmlRpcValue } from "../wire/value";
import { YamlMap, type YamlValue } from "./yamlMap";

/** True where an argument, or its absence, is allowed. */
export type ArgumentRule = (value: XmlRpcValue | undefined) => boolean;

const KINDS = ["glob", "any"];
const SHAPE = "has to be a value, {glob: TEXT} or {any: true}";
/** What a shell takes for more than text: a glob must not allow `; rm -rf /` behind a file name. */
const SHELL = /[\u0000-\u001f\u007f;&|<>()$`\\"'{}]/;
/**
 * A path part `..`, or what a shell makes one of (`.?`, `.*`): a glob below one folder must not allow another.
 * Options can have it anywhere (`-C../x`, `--to=../x`), so that only what goes on as a name (`v1..v2`) is none.
 */
const UPWARDS = /\.\.(?![\w.-])|(?:^|[/\s])\.+[*?[]/;

/**
 * A condition on one argument: a value (compared as text, since the original's clients send all numbers as
 * texts), a glob of texts without characters that a shell treats specially and without `..`, or anything.
 */
export function argumentRule({ value, fail }: YamlValue): ArgumentRule {
  if (value instanceof YamlMap) {
    const entries = value.entries();
    const [key, given] = entries[0] ?? [];
    if (entries.length !== 1 || !given || !KINDS.some((kind) => kind === key)) return fail(SHAPE);
    if (key === "any") return given.value === true ? () => true : given.fail(SHAPE);
    if (typeof given.value !== "string") return given.fail('"glob" has to be a text');
    const matches = fnmatchCase(given.value);
    return (argument) => {
      const text = textOf(argument);
      return text !== undefined && !SHELL.test(text) && !UPWARDS.test(text) && matches(text);
    };
  }
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return fail(SHAPE);
  }
  return (argument) => textOf(argument) === String(value);
}

function textOf(value: XmlRpcValue | undefined): string | undefined {
  if (value instanceof XmlRpcDouble) return String(value.value);
  return typeof value === "object" || value === undefined ? undefined : String(value);
}
