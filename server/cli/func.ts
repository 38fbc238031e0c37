import { constants } from "node:os";
import { basename } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import { nextStepOf } from "./errorStep";
import { EXIT_FAILED, exitStatusOf } from "./exitStatus";
import { Output } from "./output";
import { parseCommandLine } from "./parse";
import { runCommand } from "./runCommand";
import { END_SIGNALS, Session } from "./session";

const CERTMASTER_CA = "certmaster-ca";

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

/** Installed under the original's name as well: one program, as `func certmaster-ca`. */
function wordsOf([, program = "", ...words]: readonly string[]): string[] {
  return basename(program) === CERTMASTER_CA ? [CERTMASTER_CA, ...words] : words;
}

void main(wordsOf(process.argv)).then((status) => {
  process.exit(status);
});
