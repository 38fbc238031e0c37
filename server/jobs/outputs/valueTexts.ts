import { outputRefOf } from "../../protocol/outputs";
import type { JsonValue } from "../../protocol/value";
import { base64Of, structOf } from "./valueMeasure";

/** All texts in a value as people see them, names of members included; outputs are left out. */
export function* valueTexts(value: JsonValue): Generator<string> {
  if (typeof value === "string") {
    yield value;
  } else if (typeof value !== "object" || value === null) {
    yield String(value);
  } else if (Array.isArray(value)) {
    for (const item of value) yield* valueTexts(item);
  } else if (!outputRefOf(value)) {
    yield* objectTexts(value);
  }
}

/** What bytes say, read as UTF-8 and as Latin-1. */
export function byteTexts(bytes: Buffer): string[] {
  return [bytes.toString("utf8"), bytes.toString("latin1")];
}

function* objectTexts(value: { [name: string]: JsonValue }): Generator<string> {
  const base64 = base64Of(value);
  if (base64 !== undefined) {
    yield* byteTexts(Buffer.from(base64, "base64"));
    return;
  }
  const names = Object.keys(value);
  const struct = structOf(value);
  if (struct) yield* objectTexts(struct);
  else if (names.length === 1 && names[0]?.startsWith("$")) yield* Object.values(value).map(String);
  else {
    for (const name of names) {
      yield name;
      const member = value[name];
      if (member !== undefined) yield* valueTexts(member);
    }
  }
}
