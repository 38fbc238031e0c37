import type { FuncError } from "../../common/errors";
import type { Session } from "../session";

/** Shows what is being done on one host, step by step. */
export class HostSteps {
  constructor(private readonly session: Session) {}

  /** Which host the steps are of. */
  begin(title: string): void {
    this.session.out.note(`${title}\n`);
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
    if (error.nextStep !== undefined)
      this.session.out.note(`${indented(error.nextStep, "    ")}\n`);
  }
}

function indented(text: string, mark: string): string {
  return text
    .split("\n")
    .map((line, index) => (index === 0 ? mark : "    ") + line)
    .join("\n");
}
