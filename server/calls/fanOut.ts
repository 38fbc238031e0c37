import type { MinionRecord } from "../protocol/minions";
import { Place, Places, type AsideLane } from "./place";

/** One operation on many items, at most `nforks` at once. */
export interface FanOut<Item> {
  items: readonly Item[];
  /** At least 1; more than there are items is fine. */
  nforks: number;
  signal: AbortSignal;
  /** May not throw; keeps to its own deadline and to `signal`. */
  run: (item: Item, place: Place) => Promise<void>;
  /** For each item that was not started because of the signal. */
  skip: (item: Item) => void;
  /** Where slow items go on, unless they `keep` their place, so that others can have it; without it all stay. */
  aside?: AsideLane;
}

/**
 * Runs all and returns when the last has ended. Items are started in order, each as soon as any place
 * is free, so a slow one only ever keeps its own place.
 */
export async function fanOut<Item>(options: FanOut<Item>): Promise<void> {
  const { items, nforks, signal, run, skip, aside } = options;
  let next = 0;
  let running = 0;
  // what waits for a place is told of the end at once, not when a place gets free
  const skipRest = (): void => {
    for (const item of items.slice(next)) skip(item);
    next = items.length;
  };
  if (signal.aborted) skipRest();
  signal.addEventListener("abort", skipRest);
  try {
    await new Promise<void>((resolve, reject) => {
      const ended = (): void => {
        if (--running === 0 && next >= items.length) resolve();
      };
      const startNext = (): boolean => {
        if (next >= items.length) return false;
        const item = items[next++] as Item;
        const place = new Place(places, aside);
        running++;
        run(item, place)
          .finally(() => {
            place.end();
            ended();
          })
          .catch(reject);
        return true;
      };
      const places = new Places(Math.max(1, Math.floor(nforks)), startNext);
      places.fill();
      if (running === 0) resolve();
    });
  } finally {
    signal.removeEventListener("abort", skipRest);
  }
}

/** Those that could not be reached the last time come last: they are the likeliest to keep others waiting. */
export function missingLast(minions: readonly MinionRecord[]): MinionRecord[] {
  return [
    ...minions.filter(({ state }) => state !== "unreachable"),
    ...minions.filter(({ state }) => state === "unreachable"),
  ];
}
