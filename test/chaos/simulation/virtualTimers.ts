/** `node:timers/promises` on the timers that are installed when it is called. */
export function setTimeout<Value>(
  milliseconds?: number,
  value?: Value,
  { signal }: { signal?: AbortSignal; ref?: boolean } = {},
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      globalThis.clearTimeout(timer);
      reject(new Error("The operation was aborted"));
    };
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

export function setImmediate(): Promise<void> {
  return new Promise((resolve) => void globalThis.setImmediate(resolve));
}
