/** Runs tasks one at a time, in the order they came. */
export class SerialQueue {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `task` once all earlier ones have ended, well or not; gives its result. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }
}
