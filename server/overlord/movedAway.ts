import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FuncError } from "../common/errors";

/** Throws FuncError "conflict" where the overlord of this data directory was moved to another machine. */
export async function refuseMoved(dataDirectory: string): Promise<void> {
  const file = join(dataDirectory, "moved.json");
  let note: string;
  try {
    note = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    note = ""; // something is there
  }
  const at = /"movedAt":"([0-9TZ:.-]{10,30})"/.exec(note)?.[1] ?? "an unknown time";
  throw new FuncError(
    "conflict",
    `The overlord of ${dataDirectory} was moved to another machine at ${at}.`,
    `Call from there. If the move is not to be, and that overlord never ran: remove ${file}.`,
  );
}
