import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { FuncError } from "../common/errors";
import { readLine } from "../common/readLine";

/** A secret from a pipe is one line; more than this is none. */
const MAX_SECRET_LENGTH = 4_096;

export interface SecretQuestion {
  /** Such as "Passphrase of the backup". */
  what: string;
  /** Ask twice, since nobody sees what is typed. */
  confirm?: boolean;
  /** Read the first line of standard input instead of asking a person. */
  fromStdin: boolean;
}

/**
 * A secret that is typed without being shown, or comes by a pipe; never by an argument or the environment, which
 * others can read. Throws FuncError "bad-argument" where nobody can be asked, where it is empty, or where
 * the two differ; "cancelled" on Ctrl-C.
 */
export async function askSecret({ what, confirm, fromStdin }: SecretQuestion): Promise<string> {
  if (fromStdin) return checked(await readLine(), what);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FuncError(
      "bad-argument",
      `${what}: nobody can be asked for it here.`,
      "Pipe it to standard input, and say --stdin.",
    );
  }
  const secret = checked(await typed(`${what}: `), what);
  if (confirm && (await typed(`${what}, again: `)) !== secret) {
    throw new FuncError("bad-argument", `${what}: the two are not the same.`);
  }
  return secret;
}

function checked(secret: string, what: string): string {
  if (secret === "") throw new FuncError("bad-argument", `${what}: it is empty.`);
  if (secret.length > MAX_SECRET_LENGTH) {
    throw new FuncError(
      "bad-argument",
      `${what}: it has more than ${MAX_SECRET_LENGTH} characters.`,
    );
  }
  return secret;
}

function typed(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  return new Promise((resolve, reject) => {
    const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true });
    const end = (give: () => void): void => {
      process.stderr.write("\n");
      reader.removeAllListeners();
      reader.close();
      give();
    };
    reader.once("line", (line) => {
      end(() => {
        resolve(line);
      });
    });
    const cancel = (): void => {
      end(() => {
        reject(new FuncError("cancelled", "Nothing was typed."));
      });
    };
    reader.once("SIGINT", cancel);
    reader.once("close", cancel);
  });
}
