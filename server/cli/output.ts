import { messageOf } from "../common/errors";
import { EXIT_FAILED } from "./exitStatus";
import { inertText } from "./inertText";

/** Status of a program that a closed pipe has ended, as shells report it (128 + SIGPIPE). */
const PIPE_STATUS = 141;

/** What goes to stdout (results) and to stderr (everything else); safe for terminals and closed pipes. */
export class Output {
  constructor(
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
  ) {
    stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(PIPE_STATUS);
      // a full disk: whoever reads the result later must not take half of it for the whole
      stderr.write(`func: the output cannot be written: ${messageOf(error)}\n`, () =>
        process.exit(EXIT_FAILED),
      );
    });
    stderr.on("error", () => undefined);
  }

  /** To stdout. Newlines are the caller's. */
  result(text: string): void {
    if (text !== "") this.stdout.write(this.stdout.isTTY ? inertText(text) : text);
  }

  /** To stderr. Newlines are the caller's. */
  note(text: string): void {
    if (text !== "") this.stderr.write(this.stderr.isTTY ? inertText(text) : text);
  }

  /** Resolves once everything is handed to the operating system, so that the process may end. */
  async flush(): Promise<void> {
    for (const stream of [this.stdout, this.stderr]) {
      await new Promise<void>((resolve) => {
        stream.write("", () => {
          resolve();
        });
      });
    }
  }
}
