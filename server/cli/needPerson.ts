import { FuncError } from "../common/errors";

/** Throws FuncError "bad-argument" where there is no person to ask. `what`: such as "whether to forget web1". */
export function needPerson(what: string): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new FuncError("bad-argument", `Nobody can be asked ${what}.`, "Add --yes.");
}
