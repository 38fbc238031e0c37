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

/** Objects of the same file share a queue; a process has few of them. */
const queues = new Map<string, SerialQueue>();

/** The queue of this file. */
export function queueOf(path: string): SerialQueue {
  const queue = queues.get(path) ?? new SerialQueue();
  queues.set(path, queue);
  return queue;
}
