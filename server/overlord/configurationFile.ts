import { readFile } from "node:fs/promises";
import { FuncError, messageOf } from "../common/errors";
import { DEFAULTS, type OverlordConfiguration } from "./overlordConfiguration";

/** Reads the file; defaults where it is missing. Throws FuncError "bad-data" naming file, line and key. */
export async function readConfiguration(file: string): Promise<OverlordConfiguration> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { ...DEFAULTS };
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}`);
  }
  // most have no file, and need not load a YAML parser at each start
  const { parseConfiguration } = await import("./configuration");
  return parseConfiguration(text, file);
}
