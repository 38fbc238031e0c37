import { writeFile } from "node:fs/promises";
import { messageOf } from "../../server/common/errors";
import type { FuzzTarget } from "./fuzzTarget";
import { Random } from "./random";

/** An input of a few KB is judged in far less, on a busy machine too. */
const MOST_MS = 2_000;
/** A turn of one target, before the next. */
const TURN_MS = 100;
const MAX_FINDINGS = 20;
const MINIMISE_MS = 5_000;
const MOST_MEGABYTES = 1_024;

/** Something that does not hold, and how to see it again. */
export interface Finding {
  target: string;
  problem: string;
  /** Of the case: `new Random(seed)` makes the input, and then what the check needs. */
  seed: number;
  inputBase64: string;
}

export interface FuzzResult {
  cases: Map<string, number>;
  findings: Finding[];
  slowestMs: number;
  peakMegabytes: number;
}

/** Takes turns among the targets until the time is over, or too much was found. */
export async function fuzz(
  targets: readonly FuzzTarget[],
  { seed, forMs, file }: { seed: number; forMs: number; file: string },
): Promise<FuzzResult> {
  const result: FuzzResult = { cases: new Map(), findings: [], slowestMs: 0, peakMegabytes: 0 };
  const untilMs = performance.now() + forMs;
  let strays: string[] = [];
  const onStray = (error: unknown): void => {
    strays.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };
  process.on("unhandledRejection", onStray).on("uncaughtException", onStray);
  const add = async (finding: Finding): Promise<void> => {
    const isKnown = result.findings.some(
      ({ target, problem }) => target === finding.target && kind(problem) === kind(finding.problem),
    );
    if (isKnown) return;
    result.findings.push(finding);
    await writeFile(file, JSON.stringify(result.findings, undefined, 2));
    process.stderr.write(`${finding.target}: ${finding.problem} (seed ${finding.seed})\n`);
  };
  let next = seed;
  while (performance.now() < untilMs && result.findings.length < MAX_FINDINGS) {
    for (const target of targets) {
      const turnEndsMs = Math.min(untilMs, performance.now() + TURN_MS);
      while (performance.now() < turnEndsMs) {
        const caseSeed = next++;
        const finding = await runCase(target, caseSeed, result);
        if (finding) await add(finding);
        for (const stray of strays) {
          await add({ target: target.name, problem: stray, seed: caseSeed, inputBase64: "" });
        }
        strays = [];
        result.cases.set(target.name, (result.cases.get(target.name) ?? 0) + 1);
      }
      const megabytes = process.memoryUsage().rss / 1024 / 1024;
      result.peakMegabytes = Math.max(result.peakMegabytes, megabytes);
      if (megabytes > MOST_MEGABYTES) {
        await add({
          target: target.name,
          problem: "it takes too much memory",
          seed: next,
          inputBase64: "",
        });
      }
    }
  }
  process.off("unhandledRejection", onStray).off("uncaughtException", onStray);
  return result;
}

/** The problem without the places in it. */
function kind(problem: string): string {
  return problem.replace(/\d+/g, "0");
}

async function runCase(
  target: FuzzTarget,
  seed: number,
  result: FuzzResult,
): Promise<Finding | undefined> {
  const input = target.make(new Random(seed));
  const startedMs = performance.now();
  const problem = await problemOf(target, input, seed);
  const ms = performance.now() - startedMs;
  if (!target.name.startsWith("live")) {
    result.slowestMs = Math.max(result.slowestMs, ms);
    // a second time, since the machine may have been busy
    if (problem === undefined && ms > MOST_MS && (await isSlow(target, input, seed))) {
      return found(target, `it takes more than ${MOST_MS} ms`, seed, input);
    }
  }
  if (problem === undefined) return undefined;
  const small = target.name.startsWith("live")
    ? input
    : await minimise(target, input, seed, problem);
  return found(target, problem, seed, small);
}

function found(target: FuzzTarget, problem: string, seed: number, input: Buffer): Finding {
  return { target: target.name, problem, seed, inputBase64: input.toString("base64") };
}

async function problemOf(
  target: FuzzTarget,
  input: Buffer,
  seed: number,
): Promise<string | undefined> {
  try {
    await target.check(input, new Random(seed ^ 0x5bd1e995));
    return undefined;
  } catch (error) {
    return error instanceof TypeError || error instanceof RangeError
      ? (error.stack ?? error.message)
      : messageOf(error);
  }
}

async function isSlow(target: FuzzTarget, input: Buffer, seed: number): Promise<boolean> {
  const startedMs = performance.now();
  await problemOf(target, input, seed);
  return performance.now() - startedMs > MOST_MS;
}

/** Leaves out what the problem does not need. */
async function minimise(
  target: FuzzTarget,
  input: Buffer,
  seed: number,
  problem: string,
): Promise<Buffer> {
  const untilMs = performance.now() + MINIMISE_MS;
  let small = input;
  for (let size = Math.ceil(small.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < small.length && performance.now() < untilMs;) {
      const shorter = Buffer.concat([small.subarray(0, at), small.subarray(at + size)]);
      if ((await problemOf(target, shorter, seed)) === problem) small = shorter;
      else at += size;
    }
  }
  return small;
}
