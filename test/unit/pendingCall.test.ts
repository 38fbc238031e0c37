import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { callLimits } from "../../server/wire/callLimits";
import { PendingCall } from "../../server/wire/pendingCall";

/** What a call sees of a connection. */
class FakeSocket extends EventEmitter {
  bytesRead = 0;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }

  receive(bytes: number): void {
    this.bytesRead += bytes;
    this.emit("data", Buffer.alloc(bytes));
  }
}

const peer = { name: "web1", address: "web1.example.com", port: 51234 };
const limits = { connectMs: 10_000, deliveryMs: 30_000, runMs: 60_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(signals: AbortSignal[] = []) {
  const fake = new FakeSocket();
  const socket = fake as unknown as Socket;
  const call = new PendingCall(peer, limits, signals);
  const outcome: { message?: string; reason?: string } = {};
  call.result.catch((error: unknown) => Object.assign(outcome, error, { message: String(error) }));
  /** Lets time pass, and tells with what the call failed, if it did. */
  const after = async (ms: number): Promise<string | undefined> => {
    await vi.advanceTimersByTimeAsync(ms);
    return outcome.message;
  };
  return { fake, socket, call, outcome, after };
}

it("tells which part of connecting took too long", async () => {
  const lookup = begin();
  lookup.call.connecting(lookup.socket);
  expect(await lookup.after(9_999)).toBeUndefined();
  expect(await lookup.after(1)).toMatch(/looking up .*"web1\.example\.com".* 10 s: DNS does not/);
  expect(lookup.outcome.reason).toBe("name-not-found");
  expect(lookup.fake.destroyed).toBe(true);

  const hole = begin();
  hole.call.connecting(hole.socket);
  hole.fake.emit("lookup");
  expect(await hole.after(10_000)).toMatch(/could not be reached: nothing answered .* 10 s/);
  expect(hole.outcome.reason).toBe("unreachable");

  const frozen = begin();
  frozen.call.connecting(frozen.socket);
  frozen.fake.emit("lookup");
  await frozen.after(6_000);
  frozen.fake.emit("connect");
  expect(await frozen.after(4_000)).toMatch(/did not finish the TLS handshake within 10 s/);
  expect(frozen.outcome.reason).toBe("timed-out");
});

it("lets no time pass between the connection and the request", async () => {
  const { call, socket, after } = begin();
  call.connecting(socket);
  call.connected(socket);
  expect(await after(3_600_000)).toBeUndefined();
  call.sending(100);
  expect(await after(29_999)).toBeUndefined();
  expect(await after(1)).toMatch(/whole request: 0 of 100 bytes in 30 s. Nothing was run/);
});

it("gives a big request the time that it needs, as long as it keeps being taken", async () => {
  const { call, socket, after } = begin();
  call.connected(socket);
  call.sending(10_000_000); // 100 s at 100 KB/s
  for (let taken = 1; taken < 5; taken++) {
    expect(await after(20_000)).toBeUndefined();
    call.taken(taken * 1_000_000);
  }
  expect(await after(20_000)).toMatch(/4000000 of 10000000 bytes in 100 s/);

  const stuck = begin();
  stuck.call.connected(stuck.socket);
  stuck.call.sending(10_000_000);
  await stuck.after(20_000);
  stuck.call.taken(5_000_000);
  expect(await stuck.after(29_000)).toBeUndefined();
  expect(await stuck.after(1_000)).toMatch(/5000000 of 10000000 bytes in 50 s/);
});

it("measures the run from the delivery", async () => {
  const { call, socket, outcome, after } = begin();
  call.connected(socket);
  call.sending(100);
  await after(29_000);
  call.delivered();
  expect(await after(59_999)).toBeUndefined();
  expect(await after(1)).toMatch(/did not answer within 60 s; the call may have run/);
  expect(outcome.reason).toBe("timed-out");
});

it("lets an answer that keeps coming take as long as it needs", async () => {
  const { call, fake, socket, after } = begin();
  call.connected(socket);
  call.sending(100);
  call.delivered();
  await after(59_000);
  for (let second = 0; second < 3_600; second++) {
    fake.receive(1_100);
    expect(await after(1_000)).toBeUndefined();
  }
});

it("ends an answer that stands still, or goes on for ever", async () => {
  const standing = begin();
  standing.call.connected(standing.socket);
  standing.call.sending(100);
  standing.call.delivered();
  await standing.after(1_000);
  standing.fake.receive(80_000);
  await standing.after(29_000);
  standing.fake.receive(1);
  expect(await standing.after(29_500)).toBeUndefined();
  expect(await standing.after(1_000)).toMatch(/nothing came for 30 s after 80001 bytes/);

  const slow = begin();
  slow.call.connected(slow.socket);
  slow.call.sending(100);
  slow.call.delivered();
  slow.call.expecting(5_000);
  let told: string | undefined;
  let seconds = 0;
  while (!told && seconds < 100) {
    slow.fake.receive(1);
    told = await slow.after(1_000);
    seconds++;
  }
  expect(told).toMatch(/answers too slowly: \d+ of 5000 bytes in 60 s/);
  expect(seconds).toBe(60);
});

it("gives an answer that begins late at least 30 s", async () => {
  const { call, fake, socket, after } = begin();
  call.connected(socket);
  call.sending(100);
  call.delivered();
  await after(59_900);
  for (let second = 0; second < 29; second++) {
    fake.receive(1);
    expect(await after(1_000)).toBeUndefined();
  }
});

it("lets no time pass while it is us who do not read", async () => {
  const waiting = begin();
  waiting.call.connected(waiting.socket);
  waiting.call.sending(100);
  waiting.call.delivered();
  await waiting.after(50_000);
  waiting.call.suspend();
  waiting.call.suspend();
  await waiting.after(100_000);
  waiting.call.resume();
  await waiting.after(100_000);
  waiting.call.resume();
  waiting.call.resume(); // once too often does no harm
  expect(await waiting.after(9_900)).toBeUndefined();
  expect(await waiting.after(200)).toMatch(/did not answer/);

  const coming = begin();
  coming.call.connected(coming.socket);
  coming.call.sending(100);
  coming.call.delivered();
  coming.fake.receive(10);
  await coming.after(20_000);
  coming.call.suspend();
  await coming.after(3_600_000);
  coming.call.resume();
  expect(await coming.after(9_000)).toBeUndefined();
  expect(await coming.after(2_000)).toMatch(/nothing came for 30 s after 10 bytes/);
});

it("ends at once when it is cancelled, and says whether it may have run", async () => {
  const early = new AbortController();
  const connecting = begin([early.signal]);
  connecting.call.connecting(connecting.socket);
  early.abort();
  expect(await connecting.after(0)).toMatch(/cancelled; nothing was sent/);
  expect(connecting.fake.destroyed).toBe(true);

  const late = new AbortController();
  const sent = begin([late.signal]);
  sent.call.connected(sent.socket);
  sent.call.sending(100);
  late.abort();
  expect(await sent.after(0)).toMatch(/cancelled; it had been sent, so it may have run/);
});

it("has a limit of no step above the one of the run", () => {
  expect(callLimits({})).toEqual({ connectMs: 10_000, deliveryMs: 20_000, runMs: 20_000 });
  expect(callLimits({ timeoutMs: 90_000 })).toEqual({
    connectMs: 10_000,
    deliveryMs: 30_000,
    runMs: 90_000,
  });
  expect(callLimits({ timeoutMs: 5_000, connectTimeoutMs: 3_000 })).toEqual({
    connectMs: 3_000,
    deliveryMs: 5_000,
    runMs: 5_000,
  });
});
