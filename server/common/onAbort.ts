const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once, when the signal is aborted, which it must not be yet. Gives what takes the listener away. Thousands
 * may listen to one signal: an EventTarget walks along all of its listeners to add or to remove one.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = listenersOf.get(signal) ?? listenTo(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    if (listenersOf.get(signal) === listeners) listenersOf.delete(signal);
    // a signal that depends on others lives as long as anybody listens
    signal.removeEventListener("abort", tellAll);
  };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listenersOf.set(signal, listeners);
  signal.addEventListener("abort", tellAll, { once: true });
  return listeners;
}

function tellAll(this: AbortSignal): void {
  const listeners = listenersOf.get(this) ?? [];
  listenersOf.delete(this);
  for (const listener of listeners) listener();
}
