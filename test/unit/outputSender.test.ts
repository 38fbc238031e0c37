import { expect, it } from "vitest";
import { OutputSender } from "../../server/jobs/follow/outputSender";
import type { JobOutput, OutputPiece } from "../../server/protocol/jobs";

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

function piece(offset: number, text: string, minion = "web1"): OutputPiece {
  return { minion, stream: "stdout", offset, text, bytes: text.length };
}

it("gathers what comes together, in order, before it says that a minion has ended", async () => {
  const sent: JobOutput[] = [];
  const done = deferred();
  const sender = new OutputSender("job", {
    room: () => Promise.resolve(),
    send: (output) => {
      sent.push(output);
      if (output.ended.length > 0) done.resolve();
      return Promise.resolve();
    },
  });
  sender.piece(piece(0, "a"));
  sender.piece(piece(1, "b"));
  sender.piece(piece(0, "x", "web2"));
  sender.piece(piece(2, "c"));
  sender.problem("web2", "gone");
  sender.ended("web1");
  await done.promise;
  expect(sent).toEqual([
    {
      jobId: "job",
      pieces: [piece(0, "ab"), piece(0, "x", "web2"), piece(2, "c")],
      ended: ["web1"],
      problems: [{ minion: "web2", message: "gone" }],
    },
  ]);
});

it("has room for a bounded amount while the client does not read, and for more once it does", async () => {
  const sent: JobOutput[] = [];
  const reads = deferred();
  const sender = new OutputSender("job", {
    room: () => reads.promise,
    send: (output) => {
      sent.push(output);
      return Promise.resolve();
    },
  });
  const text = "x".repeat(10_000);
  let offset = 0;
  let hasRoom = true;
  while (hasRoom && offset < 10_000_000) {
    sender.piece(piece(offset, text));
    offset += text.length;
    const full = new Promise<boolean>((resolve) => {
      setImmediate(() => {
        resolve(false);
      });
    });
    hasRoom = await Promise.race([sender.room().then(() => true), full]);
  }
  expect(offset).toBeLessThan(400_000);
  reads.resolve();
  await sender.room();
  sender.ended("web1");
  await expect.poll(() => sent.at(-1)?.ended).toEqual(["web1"]);
  expect(sent.flatMap(({ pieces }) => pieces.map((one) => one.text)).join("")).toHaveLength(offset);
});

it("lets go of who waits for room when it is closed, or its client has gone", async () => {
  const never = new Promise<never>(() => undefined);
  const closed = new OutputSender("job", { room: () => never, send: () => never });
  const gone = new OutputSender("job", {
    room: () => Promise.resolve(),
    send: () => Promise.reject(new Error("gone")),
  });
  for (const sender of [closed, gone]) sender.piece(piece(0, "x".repeat(1_000_000)));
  const waiting = closed.room();
  closed.close();
  await Promise.all([waiting, gone.room()]);
});
