import { onAbort } from "../../common/onAbort";

/** At most so many at a time; the others wait in line. */
export class Turns {
  private taken = 0;
  private readonly line: (() => void)[] = [];

  constructor(private readonly most: number) {}

  /** How many wait. */
  get waiting(): number {
    return this.line.length;
  }

  /** Runs `work` when its turn comes; at once throws the signal's reason where it ends before that. */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.enter(signal);
    try {
      return await work();
    } finally {
      const next = this.line.shift();
      // the place is handed on, so that nobody jumps the line
      if (next) next();
      else this.taken--;
    }
  }

  private async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.taken < this.most) {
      this.taken++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        stopListening();
        resolve();
      };
      const leave = (): void => {
        this.line.splice(this.line.indexOf(enter), 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      this.line.push(enter);
      const stopListening = onAbort(signal, leave);
    });
  }
}
