import { createInterface } from "node:readline";
import { FuncError } from "../../common/errors";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import type { Session } from "../session";

/** So many names are shown in the question. */
const MAX_SHOWN = 10;

/**
 * `func ca forget NAME...`: takes minions out of the inventory, once a person has agreed. Throws
 * "no-match" where a name is unknown, "bad-argument" where nobody can be asked and `yes` is not set.
 */
export async function caForget(session: Session, names: string[], yes: boolean): Promise<number> {
  const connection = await session.connect();
  // all or nothing: a misspelt name must not go unnoticed
  await connection.request("minions/match", { spec: names.join(";") });
  const what = `${names.length === 1 ? "1 minion" : `${names.length} minions`} (${listed(names)})`;
  if (!yes) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      throw new FuncError(
        "bad-argument",
        `Nobody can be asked whether to forget ${what}.`,
        "Add --yes.",
      );
    }
    session.out.note(`Forget ${what}? [y/N] `);
    if (!/^y(es)?$/i.test((await answer()).trim())) {
      session.out.note("Nothing is forgotten.\n");
      return EXIT_FAILED;
    }
  }
  const { forgotten } = await connection.request("minions/forget", { names });
  if (session.options.json) session.out.result(`${JSON.stringify({ forgotten })}\n`);
  session.out.note(`Forgotten: ${forgotten.join(", ")}. A new host may have such a name now.\n`);
  return EXIT_OK;
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_SHOWN;
  const shown = names.slice(0, MAX_SHOWN).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** One line from the terminal; empty where it ends. */
function answer(): Promise<string> {
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
