import { outputRefOf } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";

/** How what command.run gives begins: its exit status and both outputs. */
export interface CommandHead {
  exitStatus: number;
  stdout: string;
  stderr: string;
}

/** `value` as a command's result, or undefined where the call is another one or the shape differs. */
export function commandHead(
  value: JsonValue | undefined,
  module: string,
  method: string,
): CommandHead | undefined {
  if (module !== "command" || method !== "run" || !Array.isArray(value)) return undefined;
  const [exitStatus, stdout, stderr] = value;
  if (typeof exitStatus !== "number") return undefined;
  return { exitStatus, stdout: headText(stdout), stderr: headText(stderr) };
}

/**
 * How a value begins as text. Text that XML cannot carry travels as base64; bytes that are no UTF-8 show as
 * replacement marks.
 */
export function headText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  const ref = outputRefOf(value);
  if (ref) return ref.head;
  if (typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 1) {
    const { $base64: encoded } = value;
    if (typeof encoded === "string") return Buffer.from(encoded, "base64").toString("utf8");
  }
  return JSON.stringify(value, (_, item: JsonValue) => outputRefOf(item)?.head ?? item);
}
