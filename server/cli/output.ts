import { messageOf } from "../common/errors";
import { EXIT_FAILED } from "./exitStatus";
import { Sink } from "./sink";

/** Status of a program that a closed pipe has ended, as shells report it (128 + SIGPIPE). */
const PIPE_STATUS = 141;

/** What goes to stdout (results) and to stderr (everything else); safe for terminals and closed pipes. */
export class Output {
  readonly results: Sink;
  readonly notes: Sink;

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.results = new Sink(stdout);
    this.notes = new Sink(stderr);
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
    this.results.text(text);
  }

  /** To stderr. Newlines are the caller's. */
  note(text: string): void {
    this.notes.text(text);
  }

  /** Resolves once everything is handed to the operating system, so that the process may end. */
  async flush(): Promise<void> {
    await this.results.flush();
    await this.notes.flush();
  }
}
