import fc from "fast-check";
import { expect, it } from "vitest";
import { Job } from "../../server/jobs/job";
import { JobSearch } from "../../server/jobs/search/jobSearch";
import { lineAround, LiteralFinder } from "../../server/jobs/search/literalFinder";
import type { OutputFiles } from "../../server/jobs/outputs/outputFiles";
import { searchPiece } from "../../server/jobs/search/outputSearch";
import { ValueKeeper } from "../../server/jobs/outputs/valueKeeper";
import type { OutputRef, SearchMatch } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";
import { openOutputs, spool } from "../fixtures/outputFolder";

let count = 0;

async function makeJob(files: OutputFiles, values: JsonValue[]): Promise<Job> {
  const call = { id: `search-${++count}`, spec: "*", module: "test", method: "echo", argsText: "" };
  const minions = values.map((_, index) => ({ name: `host${index}` }));
  const job = new Job({ ...call, async: false, minions });
  const keeper = new ValueKeeper(files, () => 0);
  for (const [index, value] of values.entries()) {
    const kept = await keeper.keep(job.id, value);
    const change = { state: "succeeded" as const, value: kept.value };
    const ended = job.complete(`host${index}`, change, kept);
    if (ended) job.end(ended);
  }
  return job;
}

interface Whole {
  matches: SearchMatch[];
  answers: number;
}

async function searchAll(
  search: JobSearch,
  job: Job,
  text: string,
  matchCase = false,
): Promise<Whole> {
  const matches: SearchMatch[] = [];
  let cursor: string | undefined;
  for (let answers = 1; ; answers++) {
    const { signal } = new AbortController();
    const answer = await search.search(job, { text, matchCase, cursor }, signal);
    matches.push(...answer.matches);
    expect(answer.total).toBe(job.listEntries().length);
    cursor = answer.next;
    if (cursor === undefined) {
      expect(answer.searched).toBe(answer.total);
      return { matches, answers };
    }
  }
}

async function refOf(files: OutputFiles, kind: OutputRef["kind"], content: Buffer | string) {
  return { ...(await spool(files, content)), kind, head: "" };
}

it("finds texts in all parts of a result, whatever their case", async () => {
  const { files } = await openOutputs();
  const search = new JobSearch(files);
  const job = await makeJob(files, [
    [1, "all is fine\nThe Needle is here\nend", ""],
    { deep: [{ needleName: 1 }] },
    ["nothing"],
    { $base64: Buffer.from("bytes: NEEDLE").toString("base64") },
    [0, `${"filler\n".repeat(20_000)}\tlast needle`, ""],
    Array.from({ length: 20_000 }, (_, index) => (index === 19_000 ? "a needle" : index)),
    { $struct: { $output: "needle" } },
  ]);
  const { matches } = await searchAll(search, job, "NEEDLE");
  expect(matches).toEqual([
    { minion: "host0", line: "The Needle is here" },
    { minion: "host1", line: "needleName" },
    { minion: "host3", line: "bytes: NEEDLE" },
    { minion: "host4", line: "last needle" },
    { minion: "host5", line: expect.stringContaining('"a needle",19001') as string },
    { minion: "host6", line: "needle" },
  ]);
  const exact = await searchAll(search, job, "NEEDLE", true);
  expect(exact.matches.map(({ minion }) => minion)).toEqual(["host3"]);
  expect((await searchAll(search, job, "not there")).matches).toEqual([]);
});

it("finds the messages of errors", async () => {
  const { files } = await openOutputs();
  const job = await makeJob(files, []);
  const peers = [{ name: "web1" }, { name: "web2" }];
  const call = { id: `${job.id}e`, spec: "*", module: "test", method: "echo", argsText: "" };
  const failed = new Job({ ...call, async: false, minions: peers });
  for (const { name } of peers) {
    const error = { type: "socket.error", message: `${name} refused it`, trace: "" };
    failed.update(name, { state: "unreachable", error });
  }
  const search = new JobSearch(files);
  expect((await searchAll(search, failed, "REFUSED")).matches).toHaveLength(2);
  expect((await searchAll(search, failed, "web2")).matches).toEqual([
    { minion: "web2", line: "web2 refused it" },
  ]);
});

it("finds a text wherever it lies in an output, as a search of the whole would", async () => {
  const { files } = await openOutputs();
  const letters = ["a", "B", "ä", "Ä", "€", "𝄞", "İ", "Σ", "ς", "\u212a", "k", "\n", " "];
  const word = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 5 });
  const cases = fc.record({
    needle: word.map((all) => all.join("")),
    filler: fc.constantFrom("x", "é", "€", "𝄞"),
    // around the borders of pieces, and elsewhere
    at: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -2_000, max: 300_000 })),
    matchCase: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ needle, filler, at, matchCase }) => {
      const fillerBytes = Buffer.byteLength(filler);
      const before = filler.repeat(Math.max(0, Math.floor((262_144 + at) / fillerBytes)));
      const text = `${before}${needle}${filler.repeat(1_000)}`;
      const finder = new LiteralFinder(needle, matchCase);
      const ref = await refOf(files, "text", text);
      const found = finder.find(text);
      const line = await searchOutput(files, ref, finder);
      expect(line).toBe(found && lineAround(text, found));
    }),
    { numRuns: 150 },
  );
});

async function searchOutput(
  files: OutputFiles,
  ref: OutputRef,
  finder: LiteralFinder,
): Promise<string | undefined> {
  for (let offset = 0; ;) {
    const piece = await searchPiece(files, ref, finder, offset);
    if (!piece) return undefined;
    if ("line" in piece) return piece.line;
    offset = piece.next;
  }
}

it("folds case letter by letter", () => {
  const find = (wanted: string, text: string): boolean =>
    new LiteralFinder(wanted, false).find(text) !== undefined;
  expect(find("straße", "STRAßE")).toBe(true);
  expect(find("ΟΔΟΣ", "οδος")).toBe(true);
  expect(find("οδος ", "ΟΔΟΣ ΟΔΟΣ")).toBe(true);
  expect(find("kelvin", "\u212aELVIN")).toBe(true);
  expect(find("istanbul", "İSTANBUL")).toBe(true);
  expect(find("a.c", "abc")).toBe(false);
});

it("shows the line around a match, short and without control characters", () => {
  const lineOf = (text: string, wanted: string): string => {
    const found = new LiteralFinder(wanted, false).find(text);
    return found ? lineAround(text, found) : "";
  };
  expect(lineOf("first\r\nsecond line\r\nthird", "line")).toBe("second line");
  expect(lineOf("a\x1b[31mred\x07", "red")).toBe("a [31mred");
  const long = `${"x".repeat(1_000)}needle${"y".repeat(1_000)}`;
  expect(lineOf(long, "needle")).toBe(`${"x".repeat(60)}needle${"y".repeat(134)}`);
  expect(lineOf("b\nneedle\nmore", "needle\nm")).toBe("needle");
  expect(lineOf(`${"𝄞".repeat(500)}needle`, "needle")).toMatch(/needle$/);
});

it("reads bytes as UTF-8 and as Latin-1, and JSON with its escapes", async () => {
  const { files } = await openOutputs();
  const find = async (kind: OutputRef["kind"], content: Buffer | string, wanted: string) =>
    searchOutput(files, await refOf(files, kind, content), new LiteralFinder(wanted, false));
  const raw = Buffer.concat([Buffer.alloc(300_000, 0xff), Buffer.from("caf\xe9", "latin1")]);
  expect(await find("bytes", raw, "CAFÉ")).toContain("café");
  expect(await find("bytes", Buffer.from("café"), "café")).toBe("café");
  expect(await find("text", raw, "café")).toBeUndefined();
  expect(await find("json", JSON.stringify({ a: 'say "no"\tnow' }), 'SAY "no"\tnow')).toBeDefined();
});

it("answers in slices, searches equal outputs once, and ends when told to", async () => {
  const { files } = await openOutputs();
  const content = Buffer.alloc(96 * 1024 * 1024, "lorem ipsum dolor sit amet\n");
  content.write("the needle", content.length - 20);
  const ref = await refOf(files, "text", content);
  const value = { $output: { ...ref } };
  const job = await makeJob(files, Array<JsonValue>(50).fill([0, value, ""]));
  const search = new JobSearch(files);
  const first = await search.search(job, { text: "needle" }, new AbortController().signal);
  expect(first).toMatchObject({ matches: [], searched: 0, total: 50 });
  expect(first.next).toMatch(/^0\.1\.\d{7,}$/);
  const { matches } = await searchAll(search, job, "needle");
  expect(matches).toHaveLength(50);
  expect(matches[49]).toEqual({
    minion: "host49",
    line: expect.stringContaining("needle") as string,
  });
  const controller = new AbortController();
  const cancelled = search.search(job, { text: "nowhere" }, controller.signal);
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ reason: "cancelled" });
});

it("refuses a cursor that is none, and tells where a job was forgotten meanwhile", async () => {
  const { files } = await openOutputs();
  const search = new JobSearch(files);
  const job = await makeJob(files, ["x".repeat(70_000)]);
  const { signal } = new AbortController();
  await expect(search.search(job, { text: "x", cursor: "1.2" }, signal)).rejects.toMatchObject({
    reason: "bad-argument",
  });
  const beyond = await search.search(job, { text: "x", cursor: "9.9.9" }, signal);
  expect(beyond).toEqual({ matches: [], searched: 1, total: 1 });
  files.release(job.id);
  await expect(search.search(job, { text: "x" }, signal)).rejects.toMatchObject({
    reason: "not-found",
  });
});
