import type { JsonValue } from "../../server/protocol/value";

/** What command.run gives: its exit status and both outputs. */
export interface CommandResult {
  exitStatus: number;
  stdout: string;
  stderr: string;
}

/** `value` as a command's result, or undefined where the call is another one or the shape differs. */
export function commandResult(
  value: JsonValue | undefined,
  module: string,
  method: string,
): CommandResult | undefined {
  if (module !== "command" || method !== "run" || !Array.isArray(value)) return undefined;
  const [exitStatus, stdout, stderr] = value;
  if (typeof exitStatus !== "number") return undefined;
  return { exitStatus, stdout: outputText(stdout), stderr: outputText(stderr) };
}

/** Text that XML cannot carry travels as base64; bytes that are no UTF-8 show as replacement marks. */
export function outputText(value: JsonValue | undefined): string {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const encoded = value["$base64"];
    if (typeof encoded === "string") return Buffer.from(encoded, "base64").toString("utf8");
  }
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
