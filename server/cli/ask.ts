import { createInterface } from "node:readline";
import { FuncError } from "../common/errors";

/** Throws FuncError "bad-argument" where there is no person to ask. `what`: such as "whether to forget web1". */
export function needPerson(what: string): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new FuncError("bad-argument", `Nobody can be asked ${what}.`, "Add --yes.");
}

/** One line from the terminal; empty where it ends. */
export function askLine(): Promise<string> {
  return new Promise((resolve) => {
    // not as a terminal: that would take Ctrl-C away from func
    const reader = createInterface({ input: process.stdin, terminal: false });
    reader.once("line", (line) => {
      resolve(line);
      reader.close();
    });
    reader.once("close", () => {
      resolve("");
    });
  });
}
