import { FuncError } from "../common/errors";

/**
 * Waits for what goes on, and others may wait for too, where the one who waits here has had enough. Throws
 * FuncError "cancelled" once `signal` is aborted.
 */
export async function unlessAborted(
  task: Promise<void>,
  { name }: { name: string },
  signal: AbortSignal,
): Promise<void> {
  const aborted = (): FuncError =>
    new FuncError("cancelled", `The call of ${name} was cancelled; nothing was sent.`);
  task.catch(() => undefined); // it may end after the signal
  if (signal.aborted) throw aborted();
  let onAbort = (): void => undefined;
  const end = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(aborted());
    };
    signal.addEventListener("abort", onAbort);
  });
  try {
    await Promise.race([task, end]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
