import type { MinionResult } from "../protocol/jobs";
import { failureText } from "./failureText";
import type { Sink } from "./sink";

/** Nobody notices so short a wait, and what is cancelled ends together. */
const HOLD_MS = 300;

/** Tells problems of minions as they come, those that come together in as few words as they need. */
export class FailureNotes {
  private held: MinionResult[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly sink: Sink,
    private readonly tellsWay: boolean,
  ) {}

  add(result: MinionResult): void {
    this.held.push(result);
    this.timer ??= setTimeout(() => {
      this.flush();
    }, HOLD_MS);
  }

  /** Tells at once what is held. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { tellsWay, sink } = this;
    sink.text(failureText(this.held, { tellsWay, namesFew: sink.terminal }));
    this.held = [];
  }
}
