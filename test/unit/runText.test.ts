import { expect, it } from "vitest";
import { runText } from "../../extension/export/runText";
import type { ResultReader } from "../../extension/results/resultParts";
import type { MinionResult } from "../../server/protocol/jobs";

/** An overlord whose pages leave out what is long. */
function readerOf(results: readonly MinionResult[]): { reader: ResultReader; asked: string[] } {
  const asked: string[] = [];
  const request = (method: string, params: { from: number; limit: number; minion: string }) => {
    asked.push(method);
    if (method === "jobs/result") {
      return Promise.resolve(results.find(({ minion }) => minion === params.minion));
    }
    const page = results.slice(params.from, params.from + params.limit).map((result) => {
      const bytes = JSON.stringify(result.value ?? "").length;
      return bytes > 1_000 ? { ...result, value: undefined, valueBytes: bytes } : result;
    });
    return Promise.resolve({ results: page });
  };
  return { reader: { request } as unknown as ResultReader, asked };
}

function textOf(results: readonly MinionResult[]): Promise<string> {
  const job = { id: "j", module: "command", method: "run", total: results.length };
  return runText(readerOf(results).reader, job, new AbortController().signal);
}

it("has each minion's result, without what differs between any two runs", async () => {
  const ok = (minion: string, out: string, durationMs: number): MinionResult => ({
    ...{ minion, state: "succeeded", durationMs, startedAtMs: durationMs, attempt: 2 },
    value: [0, out, ""],
  });
  const error = { type: "socket.error", message: "refused", trace: "" };
  const first = await textOf([ok("a", "up\n", 1), { minion: "b", state: "unreachable", error }]);
  expect(first).toMatch(/===== a: succeeded =====\n[^]*up\n[^]*===== b: unreachable/);
  const second = await textOf([ok("a", "up\n", 9), { minion: "b", state: "unreachable", error }]);
  expect(second).toBe(first);
});

it("reads pages, and singly only what they leave out, in the job's order", async () => {
  const results = Array.from({ length: 600 }, (_, at): MinionResult => {
    const text = at % 100 === 7 ? "x".repeat(5_000) : `line of ${at}`;
    return { minion: `m${at}`, state: "succeeded", value: [0, text, ""] };
  });
  const { reader, asked } = readerOf(results);
  let reported = 0;
  const job = { id: "j", module: "command", method: "run", total: 600 };
  const text = await runText(reader, job, new AbortController().signal, () => reported++);
  expect(reported).toBe(600);
  expect(asked.filter((method) => method === "jobs/results")).toHaveLength(3);
  expect(asked.filter((method) => method === "jobs/result")).toHaveLength(6);
  expect([...text.matchAll(/===== m(\d+)/g)].map(([, at]) => Number(at))).toEqual(
    results.map((_, at) => at),
  );
  expect(text).toContain("x".repeat(5_000));
});

it("says what it cuts: of one that says much, and of very many", async () => {
  const long = await textOf([
    { minion: "a", state: "succeeded", value: [0, "y".repeat(200_000), ""] },
    { minion: "b", state: "succeeded", value: [0, "short", ""] },
  ]);
  expect(long).toContain("(cut here after 64 kB)");
  expect(long).toContain("short");
  const many = await textOf(
    Array.from({ length: 100 }, (_, at) => ({
      ...{ minion: `m${at}`, state: "succeeded" as const },
      value: [0, "z".repeat(100_000), ""],
    })),
  );
  expect(many).toMatch(/\(\d+ more minions are not shown: export the results instead\)\n$/);
  expect(many.length).toBeLessThan(4_200_000);
});
