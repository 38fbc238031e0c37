import { createInterface } from "node:readline";

/** One line from standard input; empty where that ends, or `signal` aborts. */
export function readLine(signal?: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    // not as a terminal: that would take Ctrl-C away from the program
    const reader = createInterface({ input: process.stdin, terminal: false });
    const end = (text: string): void => {
      signal?.removeEventListener("abort", onAbort);
      resolve(text);
      reader.close();
    };
    const onAbort = (): void => {
      end("");
    };
    signal?.addEventListener("abort", onAbort);
    reader.once("line", end);
    reader.once("close", onAbort);
  });
}
