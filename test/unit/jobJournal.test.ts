import {
  appendFile,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { createLog } from "../../server/common/log";
import { Journal } from "../../server/jobs/store/journal";
import { journalFiles } from "../../server/jobs/store/journalFolder";
import { FILE_HEAD_BYTES, FRAME_HEAD_BYTES } from "../../server/jobs/store/journalFrame";
import { JournalRecovery } from "../../server/jobs/store/journalRecovery";
import { replayJournal, type JournalFlaw } from "../../server/jobs/store/journalReplay";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-journal-"));
  const made = folder;
  onTestFinished(() => rm(made, { recursive: true, force: true }));
});

function open(nextSeq = 1, last = nextSeq - 1): Journal {
  const makeRoom = (): Promise<void> => Promise.resolve();
  return new Journal({ folder, nextSeq, last, makeRoom, onDurable: () => undefined });
}

interface Replayed {
  texts: string[];
  flaws: JournalFlaw[];
}

async function replay(after = 0, upTo?: number): Promise<Replayed> {
  const texts: string[] = [];
  const flaws: JournalFlaw[] = [];
  for await (const { payload } of replayJournal(folder, after, upTo, (flaw) => flaws.push(flaw))) {
    texts.push(payload.toString());
  }
  return { texts, flaws };
}

/** One record each: the next one is given when the last is durable. */
async function write(journal: Journal, ...texts: string[]): Promise<void> {
  for (const text of texts) await journal.append(Buffer.from(text), true);
}

async function newestFile(): Promise<string> {
  return (await journalFiles(folder)).at(-1)?.path ?? "";
}

it("keeps what was appended, in order, privately", async () => {
  const journal = open();
  await write(journal, "one", "two\nlines", "x".repeat(3_000_000), "ä€");
  await journal.close();
  expect(await replay()).toEqual({
    texts: ["one", "two\nlines", "x".repeat(3_000_000), "ä€"],
    flaws: [],
  });
  expect(await readdir(folder)).toEqual(["journal-1"]);
  expect((await stat(join(folder, "journal-1"))).mode & 0o777).toBe(0o600);
  expect((await replay(2)).texts).toEqual(["x".repeat(3_000_000), "ä€"]);
  expect((await replay(0, 2)).texts).toEqual(["one", "two\nlines"]);
  await expect(journal.append(Buffer.from("late"), true)).rejects.toMatchObject({
    reason: "unavailable",
  });
});

it("lets writers that come together share a write and a sync", async () => {
  const journal = open();
  let appends = 0;
  const writers = Array.from({ length: 64 }, async (_, writer) => {
    for (let n = 0; n < 10; n++) {
      await journal.append(Buffer.from(`${writer}.${n}`), true);
      appends++;
    }
  });
  await Promise.all(writers);
  expect(appends).toBe(640);
  expect(journal.last).toBeLessThanOrEqual(640 / 4);
  const lines = (await replay()).texts.flatMap((text) => text.split("\n"));
  expect(lines).toHaveLength(640);
  // of one writer in its order
  expect(lines.filter((line) => line.startsWith("7."))).toEqual(
    Array.from({ length: 10 }, (_, n) => `7.${n}`),
  );
  await journal.close();
});

it("replays all that was acknowledged, whatever came between", async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), text: fc.string() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rotate" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("tear" as const), bytes: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await rm(folder, { recursive: true, force: true });
      const expected: { seq: number; text: string }[] = [];
      let dropped = 0;
      let journal = open();
      const reopen = async (): Promise<void> => {
        const { last } = journal;
        const newest = (await journalFiles(folder)).at(-1)?.first ?? 0;
        journal = open(Math.max(last, newest) + 1, last);
      };
      for (const one of steps) {
        if (one.do === "append") {
          await journal.append(Buffer.from(`-${one.text}`), true);
          expected.push({ seq: journal.last, text: `-${one.text}` });
        } else if (one.do === "rotate") {
          await journal.rotate();
        } else if (one.do === "reopen") {
          await journal.close();
          await reopen();
        } else if (one.do === "tear") {
          // a crash in the middle of a write that nobody was told of
          const before = await newestFile();
          await journal.append(Buffer.from("t".repeat(one.bytes)), true);
          const torn = await newestFile();
          await journal.close();
          const head = torn === before ? 0 : FILE_HEAD_BYTES;
          const added = head + FRAME_HEAD_BYTES + one.bytes;
          const whole = await readFile(torn);
          await writeFile(torn, whole.subarray(0, whole.length - 1 - (one.bytes % added)));
          const { last } = journal;
          const newest = (await journalFiles(folder)).at(-1)?.first ?? 0;
          journal = open(Math.max(last, newest + 1), last - 1);
        } else {
          await journal.rotate();
          dropped = journal.last;
          await journal.drop(dropped);
        }
      }
      const { texts, flaws } = await replay(dropped);
      expect(texts).toEqual(expected.filter(({ seq }) => seq > dropped).map(({ text }) => text));
      expect(flaws.filter(({ kind }) => kind !== "torn")).toEqual([]);
      await journal.close();
    }),
    { numRuns: 60 },
  );
});

it("cut at any byte, has all whole records before", async () => {
  const journal = open();
  const texts = ["first", "", "third one", "x".repeat(70), "last"].map((text) => `-${text}`);
  await write(journal, ...texts);
  await journal.close();
  const file = await newestFile();
  const whole = await readFile(file);
  for (let length = 0; length < whole.length; length++) {
    await writeFile(file, whole.subarray(0, length));
    const { texts: read, flaws } = await replay();
    let end = FILE_HEAD_BYTES;
    const fit = texts.filter((text) => (end += FRAME_HEAD_BYTES + text.length) <= length);
    expect(read).toEqual(fit);
    expect(flaws.every(({ kind }) => kind === "torn")).toBe(true);
    const atBorder = length === 0 || length === FILE_HEAD_BYTES + sizeOf(fit);
    expect(flaws).toHaveLength(atBorder ? 0 : 1);
  }
});

function sizeOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + FRAME_HEAD_BYTES + text.length, 0);
}

it("with any bit flipped, never says what was not written, and tells what is missing", async () => {
  const journal = open();
  const texts = ["one", "two two", "three", "four"];
  await write(journal, ...texts);
  await journal.rotate();
  await write(journal, "five", "six");
  await journal.close();
  const all = [...texts, "five", "six"];
  for (const { path } of await journalFiles(folder)) {
    const whole = await readFile(path);
    for (const [at, byte] of whole.entries()) {
      const damaged = Buffer.from(whole);
      damaged[at] = byte ^ (1 << ((at * 5) % 8));
      await writeFile(path, damaged);
      const { texts: read, flaws } = await replay();
      expect(flaws.some(({ kind }) => kind === "damage")).toBe(true);
      if (at < FILE_HEAD_BYTES) {
        expect(read).toEqual(all);
      } else {
        expect(read).toHaveLength(5);
        expect(all.filter((text) => !read.includes(text))).toHaveLength(1);
        expect(flaws.some(({ kind }) => kind === "missing")).toBe(true);
      }
    }
    await writeFile(path, whole);
  }
}, 60_000);

it("finds the records behind any damage, and says how many are missing", async () => {
  const journal = open();
  await write(journal, "a", "b", "c", "d", "e");
  await journal.close();
  const file = await newestFile();
  const whole = await readFile(file);
  const frame = FRAME_HEAD_BYTES + 1;
  const from = FILE_HEAD_BYTES + frame;
  for (const rubbish of [Buffer.alloc(2 * frame), Buffer.alloc(3_000_000, 0xff), Buffer.from("")]) {
    const end = whole.subarray(from + 2 * frame);
    await writeFile(file, Buffer.concat([whole.subarray(0, from), rubbish, end]));
    const { texts, flaws } = await replay();
    expect(texts).toEqual(["a", "d", "e"]);
    expect(flaws).toContainEqual({ kind: "missing", from: 2, to: 3 });
    // what the databases have is not missed
    expect((await replay(3)).flaws.filter(({ kind }) => kind === "missing")).toEqual([]);
  }
});

it("takes space that was never written to for a write that was cut off", async () => {
  const journal = open();
  await write(journal, "a");
  await journal.close();
  await appendFile(await newestFile(), Buffer.alloc(5_000_000));
  const { texts, flaws } = await replay();
  expect(texts).toEqual(["a"]);
  expect(flaws).toMatchObject([{ kind: "torn", bytes: 5_000_000 }]);
});

it("takes a record whose end was never written to for one, too", async () => {
  const journal = open();
  await write(journal, "a", "b".repeat(10_000));
  await journal.close();
  const whole = await readFile(await newestFile());
  whole.fill(0, 4_096);
  await writeFile(await newestFile(), whole);
  const { texts, flaws } = await replay();
  expect(texts).toEqual(["a"]);
  expect(flaws).toMatchObject([{ kind: "torn" }]);
});

it("leaves out what was written, but never acknowledged", async () => {
  const first = open();
  await write(first, "a", "b", "lost");
  await first.close();
  // as if the third could not be taken back from a failing disk
  const second = open(3, 2);
  await write(second, "c");
  await second.close();
  expect(await replay()).toEqual({ texts: ["a", "b", "c"], flaws: [] });
});

it("misses a file that is gone", async () => {
  const journal = open();
  for (const text of ["a", "b", "c"]) {
    await write(journal, text);
    await journal.rotate();
  }
  await journal.close();
  await rm(join(folder, "journal-2"));
  expect(await replay()).toEqual({
    texts: ["a", "c"],
    flaws: [{ kind: "missing", from: 2, to: 2 }],
  });
});

it("does not miss what went into databases that had to be made again", async () => {
  const journal = open(51);
  await write(journal, "a");
  await journal.rotate();
  await write(journal, "b");
  await journal.close();
  expect(await replay(0)).toEqual({ texts: ["a", "b"], flaws: [] });
  expect((await replay(40)).flaws).toEqual([{ kind: "missing", from: 41, to: 50 }]);
});

it("keeps a damaged file beside, once, with a message", async () => {
  const journal = open();
  await write(journal, "a", "b", "c");
  await journal.close();
  const file = await newestFile();
  const whole = await readFile(file);
  whole[FILE_HEAD_BYTES + FRAME_HEAD_BYTES] = 0;
  await writeFile(file, whole);
  const lines: string[] = [];
  for (let round = 0; round < 2; round++) {
    const recovery = new JournalRecovery(
      folder,
      createLog((line) => lines.push(line)),
    );
    const seen: number[] = [];
    for await (const { seq } of recovery.records(0, undefined)) seen.push(seq);
    expect(seen).toEqual([2, 3]);
    expect(recovery.incomplete).toBe(true);
  }
  const aside = (await readdir(folder)).filter((name) => name.startsWith("journal-1.damaged-"));
  expect(aside).toHaveLength(1);
  expect((await readFile(join(folder, aside[0] ?? ""))).equals(whole)).toBe(true);
  expect(lines.join("")).toContain(aside[0]);
  expect(lines.join("")).toContain(`"from":1,"to":1`);
  // the next checkpoint removes the one, never the other
  await open(4).drop(3);
  expect(await readdir(folder)).toEqual(aside);
});

it("refuses a folder that another one writes to", async () => {
  const [mine, other] = [open(), open()];
  await write(mine, "mine");
  await expect(other.append(Buffer.from("other"), true)).rejects.toMatchObject({
    reason: "conflict",
    message: expect.stringContaining("journal-1") as string,
  });
  await write(mine, "again");
  expect((await replay()).texts).toEqual(["mine", "again"]);
  await copyFile(await newestFile(), join(folder, "copy"));
  await Promise.all([mine.close(), other.close()]);
});
