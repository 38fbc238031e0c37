import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ChangeNews } from "../../server/overlord/changeNews";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("tells at once, then at most five times a second, and the last change always", () => {
  let told = 0;
  const news = new ChangeNews(() => (told += 1));
  news.changed();
  expect(told).toBe(1);
  for (let i = 0; i < 100; i++) {
    news.changed();
    vi.advanceTimersByTime(10);
  }
  expect(told).toBeLessThanOrEqual(6);
  vi.advanceTimersByTime(200);
  const all = told;
  vi.advanceTimersByTime(10_000);
  expect(told).toBe(all);
  news.changed();
  expect(told).toBe(all + 1);
  news.changed();
  news.dispose();
  vi.advanceTimersByTime(10_000);
  expect(told).toBe(all + 1);
});
