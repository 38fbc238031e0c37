import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { SeenMinions } from "../../server/calls/seenMinions";
import { onAbort } from "../../server/common/onAbort";

const MINION = {
  name: "",
  address: "127.0.0.1",
  port: 51234,
  state: "online" as const,
  enrolledAtMs: 0,
  keyFingerprint: "",
  certificateSerial: "",
  certificateNotAfterMs: 0,
};

it("tells all that still listen, once", () => {
  const controller = new AbortController();
  const told: string[] = [];
  const listen = (name: string) => onAbort(controller.signal, () => told.push(name));
  const stopFirst = listen("first");
  listen("second");
  const stopThird = listen("third");
  onAbort(controller.signal, () => {
    stopThird();
    stopFourth();
  });
  const stopFourth = listen("fourth");
  stopFirst();
  stopFirst();
  controller.abort();
  controller.abort();
  expect(told).toEqual(["second", "third"]);
  stopThird();
});

it("leaves nothing at a signal to which nobody listens any more", () => {
  const { signal } = new AbortController();
  const stops = Array.from({ length: 3 }, () => onAbort(signal, () => undefined));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const stop of stops) stop();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  onAbort(signal, () => undefined);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
});

it("lets 20,000 wait for minions on one signal", async () => {
  const seen = new SeenMinions();
  const closing = new AbortController();
  const names = Array.from({ length: 20_000 }, (_, index) => `web${index}`);
  const waits = names.map((name) => seen.next(name, 600_000, closing.signal));
  expect(getEventListeners(closing.signal, "abort")).toHaveLength(1);
  for (const name of names.slice(0, 10_000)) {
    seen.answered({ ...MINION, name });
  }
  await Promise.all(waits.slice(0, 10_000));
  closing.abort();
  await Promise.all(waits);
});
