/** "0.31 s", "1 m 04 s". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
}

/** The middle one of ascending numbers. */
export function median(ascending: readonly number[]): number | undefined {
  return ascending[Math.floor((ascending.length - 1) / 2)];
}

/** "1 minion", "40 minions". */
export function minionCount(count: number): string {
  return count === 1 ? "1 minion" : `${count.toLocaleString()} minions`;
}

/** "1.5 MB"; decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB"];
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[unit] ?? ""}`;
}

/** "1 line", "3 lines". */
export function lineCount(count: number): string {
  return count === 1 ? "1 line" : `${count.toLocaleString()} lines`;
}
