/** One operation on many items, at most `nforks` at once. */
export interface FanOut<Item> {
  items: readonly Item[];
  /** At least 1; more than there are items is fine. */
  nforks: number;
  signal: AbortSignal;
  /** May not throw; keeps to its own deadline and to `signal`. */
  run: (item: Item) => Promise<void>;
  /** For each item that was not started because of the signal. */
  skip: (item: Item) => void;
}

/**
 * Runs all and returns when the last has ended. Items are started in order, each as soon as any place
 * is free, so a slow one only ever keeps its own place.
 */
export async function fanOut<Item>({
  items,
  nforks,
  signal,
  run,
  skip,
}: FanOut<Item>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++] as Item;
      if (signal.aborted) skip(item);
      else await run(item);
    }
  };
  // what waits for a place is told of the end at once, not when a place gets free
  const skipRest = (): void => {
    for (const item of items.slice(next)) skip(item);
    next = items.length;
  };
  signal.addEventListener("abort", skipRest);
  try {
    const workers = Math.max(1, Math.min(Math.floor(nforks), items.length));
    await Promise.all(Array.from({ length: workers }, worker));
  } finally {
    signal.removeEventListener("abort", skipRest);
  }
}
