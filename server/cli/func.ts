import { constants } from "node:os";
import { basename } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import { nextStepOf } from "./errorStep";
import { EXIT_FAILED, exitStatusOf } from "./exitStatus";
import { Output } from "./output";
import { parseCommandLine } from "./parse";
import { runCommand } from "./runCommand";
import { END_SIGNALS, Session } from "./session";

/** Names of programs of the original, with the first word of `func` that each stands for. */
const ORIGINAL_PROGRAMS: ReadonlyMap<string, string> = new Map([
  ["certmaster-ca", "certmaster-ca"],
  ["func-build-map", "build-map"],
]);

/** The command line `func`: reads the words, runs one command, explains what went wrong. */
async function main(words: readonly string[]): Promise<number> {
  const out = new Output(process.stdout, process.stderr);
  let session: Session | undefined;
  for (const signal of END_SIGNALS) {
    process.on(signal, () => {
      if (!session?.interrupt(signal)) process.exit(128 + constants.signals[signal]);
    });
  }
  try {
    const { options, command } = parseCommandLine(words);
    session = new Session(options, out);
    return await runCommand(command, session);
  } catch (error) {
    out.note(`func: ${messageOf(error)}\n`);
    if (!(error instanceof FuncError)) return session?.failureStatus ?? EXIT_FAILED;
    const nextStep = await nextStepOf(error, session);
    if (nextStep !== undefined) out.note(nextStep.replace(/^/gm, "      ") + "\n");
    return session?.failureStatus ?? exitStatusOf(error);
  } finally {
    session?.close();
    await out.flush();
  }
}

/** Installed under the original's names as well: one program, as `func certmaster-ca`. */
function wordsOf([, program = "", ...words]: readonly string[]): string[] {
  const first = ORIGINAL_PROGRAMS.get(basename(program));
  return first === undefined ? words : [first, ...words];
}

void main(wordsOf(process.argv)).then((status) => {
  process.exit(status);
});
