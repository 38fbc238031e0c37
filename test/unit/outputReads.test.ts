import { beforeEach, describe, expect, it } from "vitest";
import type { MinionCallOutcome } from "../../server/calls/minionCaller";
import { OutputReads, type OutputRead } from "../../server/jobs/follow/outputReads";
import type { MinionRecord } from "../../server/protocol/minions";
import type { XmlRpcValue } from "../../server/wire/value";

const minion: MinionRecord = {
  name: "web1",
  address: "127.0.0.1",
  port: 1,
  keyFingerprint: "",
  state: "online",
  enrolledAtMs: 0,
  certificateSerial: "1",
  certificateNotAfterMs: 0,
};
const place = { minion, minionJobId: "1.0-minion" };
const start = { stdout: 0, stderr: 0 };
const never = new AbortController().signal;
const cancelled: MinionCallOutcome = {
  state: "cancelled",
  error: { type: "", message: "cancelled", trace: "" },
  answered: false,
  mayHaveRun: true,
};

let asked: { params: XmlRpcValue[]; signal: AbortSignal; answer: (value: XmlRpcValue) => void }[];
let reads: OutputReads;

beforeEach(() => {
  asked = [];
  reads = new OutputReads({
    call: (_minion, _method, params, { signal }) =>
      new Promise((resolve) => {
        const answer = (value: XmlRpcValue): void => {
          resolve({ state: "succeeded", value });
        };
        signal.addEventListener("abort", () => {
          resolve(cancelled);
        });
        asked.push({ params, signal, answer });
      }),
  });
});

/** What came of it, by now. */
async function settled(read: Promise<OutputRead>): Promise<boolean> {
  const later = new Promise<false>((resolve) => {
    setImmediate(() => {
      resolve(false);
    });
  });
  return Promise.race([read.then(() => true), later]);
}

describe("clients that wait for the same", () => {
  it("share one request, and go on in step", async () => {
    const both = [reads.read(place, start, 100, never), reads.read(place, start, 100, never)];
    await expect.poll(() => asked.length).toBe(1);
    expect(asked[0]?.params).toEqual(["1.0-minion", "stdout", 0, 100, 25, 0]);
    asked[0]?.answer([Buffer.from("one"), 3, false, 0]);
    const expected = { kind: "output", stdout: Buffer.from("one"), ended: false };
    for (const read of both) expect(await read).toMatchObject(expected);
    // a little late, and in step all the same
    expect(await reads.read(place, start, 100, never)).toMatchObject(expected);
    expect(asked).toHaveLength(1);
  });

  it("let the others wait on when one has gone, and end the request when all have", async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const first = reads.read(place, start, 100, one.signal);
    const second = reads.read(place, start, 100, two.signal);
    await expect.poll(() => asked.length).toBe(1);
    one.abort();
    await expect(first).rejects.toThrow();
    expect([await settled(second), asked[0]?.signal.aborted]).toEqual([false, false]);
    two.abort();
    await expect(second).rejects.toThrow();
    expect(asked[0]?.signal.aborted).toBe(true);
    void reads.read(place, start, 100, never);
    await expect.poll(() => asked.length).toBe(2);
  });
});

it("reads the other stream only where there is more of it, and knows the end of both", async () => {
  const read = reads.read(place, { stdout: 3, stderr: 1 }, 100, never);
  await expect.poll(() => asked.length).toBe(1);
  asked[0]?.answer([Buffer.alloc(0), 3, true, 5]);
  await expect.poll(() => asked.length).toBe(2);
  expect(asked[1]?.params).toEqual(["1.0-minion", "stderr", 1, 100, 0]);
  asked[1]?.answer([Buffer.from("rest"), 5, true]);
  expect(await read).toEqual({
    kind: "output",
    stdout: Buffer.alloc(0),
    stderr: Buffer.from("rest"),
    ended: true,
  });
});

it("takes no other answer for an output", async () => {
  const answers: [XmlRpcValue, string][] = [
    [null, "refused"],
    [["x", 1, true], "refused"],
    [[Buffer.alloc(0), -1.5, 1], "refused"],
  ];
  for (const [index, [value, kind]] of answers.entries()) {
    const read = reads.read(place, { stdout: index, stderr: 0 }, 100, never);
    await expect.poll(() => asked.length).toBe(index + 1);
    asked[index]?.answer(value);
    expect((await read).kind).toBe(kind);
  }
});

it("holds a bounded number of requests, the others take turns", async () => {
  const waiting = Array.from({ length: 600 }, (_, i) =>
    reads.read({ minion, minionJobId: `${i}` }, start, 100, never),
  );
  await expect.poll(() => asked.length).toBe(500);
  asked[0]?.answer([Buffer.from("x"), 1, true, 0]);
  await waiting[0];
  await expect.poll(() => asked.length).toBe(501);
  // while others wait, nobody keeps a place for long
  expect(asked[500]?.params[4]).toBe(2);
});
