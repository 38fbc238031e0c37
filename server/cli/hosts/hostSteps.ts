import type { FuncError } from "../../common/errors";
import type { Session } from "../session";

/** Shows what is being done on one host, step by step. */
export class HostSteps {
  /** What these steps have put there: it stays where they end early. */
  readonly left: string[] = [];

  constructor(private readonly session: Session) {}

  /** Which host the steps are of. */
  begin(title: string): void {
    this.left.length = 0;
    this.session.out.note(`${title}\n`);
  }

  /** Something new that is there from now on. */
  leaves(what: string): void {
    this.left.push(what);
  }

  /** A step that is done. */
  done(text: string): void {
    this.session.out.note(`  ✓ ${text}\n`);
  }

  /** Something to know; the steps go on. */
  remark(text: string): void {
    this.session.out.note(`${indented(text, "  ! ")}\n`);
  }

  /** The step at which it ended. */
  failed(error: FuncError): void {
    this.session.out.note(`${indented(error.message, "  ✗ ")}\n`);
    const leftover = `What was put there stays, for the next attempt: ${this.left.join(", ")}.`;
    for (const text of [error.nextStep, this.left.length > 0 ? leftover : undefined]) {
      if (text !== undefined) this.session.out.note(`${indented(text, "    ")}\n`);
    }
  }
}

function indented(text: string, mark: string): string {
  return text
    .split("\n")
    .map((line, index) => (index === 0 ? mark : "    ") + line)
    .join("\n");
}
