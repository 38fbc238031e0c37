import { isDeepStrictEqual } from "node:util";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeResponse } from "../../server/wire/decode";
import { atLeast, told, type BenchRow } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import { CODEC_VALUES, codecDocument } from "./codecDocuments";
import { PYTHON_CODEC_WORKER, type CodecOrder } from "./codecWorker";
import { decodeWithSaxes } from "./saxesDecoder";
import { interleaved, median, pairedRatio, pairs, spread } from "./statistics";
import { startServing, startWorker, type Worker } from "./worker";

/** Long enough for the clock, short enough to keep the pairs close together. */
const MEASURED_MS = 200;
const SMALL_DOCUMENT = "command.run, 2 KB";
const LEAST_ON_SMALL = 3;
const LEAST_AGAINST_PYTHON = 1.3;
const LEAST_AGAINST_SAXES = 1.5;

type Operation = CodecOrder["operation"];
type Codec = Worker<unknown>;

/** Target T7: what a document costs to read and to write. */
export const codecBenchmark: Benchmark = {
  name: "codec",
  what: "XML-RPC documents against Python's xmlrpc and saxes",
  async *run(context) {
    checkSaxes();
    const ours = await startWorker(context, "codec", { library: "ours" });
    const saxes = await startWorker(context, "codec", { library: "saxes" });
    const python = await startPython(context);
    for (const document of Object.keys(CODEC_VALUES)) {
      context.progress(document);
      yield* decodeRows(context, document, { ours, python, saxes });
      yield await encodeRow(context, document, { ours, python });
    }
  },
};

async function* decodeRows(
  { rounds }: BenchContext,
  document: string,
  codecs: Record<"ours" | "python" | "saxes", Codec>,
): AsyncGenerator<BenchRow> {
  const times = await measure(rounds, "decode", document, codecs);
  yield atLeast(document === SMALL_DOCUMENT ? LEAST_ON_SMALL : LEAST_AGAINST_PYTHON, {
    name: `T7 decode, times as fast as Python: ${document}`,
    value: pairedRatio(pairs(times.python, times.ours)),
    unit: "CPU time",
    details: `${microseconds(times.ours)} against ${microseconds(times.python)}`,
  });
  yield atLeast(LEAST_AGAINST_SAXES, {
    name: `T7 decode, times as fast as saxes: ${document}`,
    value: pairedRatio(pairs(times.saxes, times.ours)),
    unit: "CPU time",
    details: `${microseconds(times.ours)} against ${microseconds(times.saxes)}`,
  });
}

async function encodeRow(
  { rounds }: BenchContext,
  document: string,
  codecs: Record<"ours" | "python", Codec>,
): Promise<BenchRow> {
  const times = await measure(rounds, "encode", document, codecs);
  return told({
    name: `encode, times as fast as Python: ${document}`,
    value: pairedRatio(pairs(times.python, times.ours)),
    unit: "CPU time",
    details: `${microseconds(times.ours)} against ${microseconds(times.python)}`,
  });
}

/** ms for one document, by codec and round. */
async function measure<Name extends string>(
  rounds: number,
  operation: Operation,
  document: string,
  codecs: Record<Name, Codec>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(codecs) as Name[];
  const measurements = {} as Record<Name, () => Promise<number>>;
  for (const name of names) {
    const ask = async (times: number): Promise<number> =>
      Number(await codecs[name].ask({ operation, document, times })) / times;
    const times = await enough(ask);
    measurements[name] = () => ask(times);
  }
  return interleaved(rounds, measurements);
}

/** How often it has to be done for MEASURED_MS; finding out also warms the code up. */
async function enough(ask: (times: number) => Promise<number>): Promise<number> {
  for (let times = 1; ;) {
    const each = await ask(times);
    if (each * times >= MEASURED_MS) return times;
    times = Math.ceil(Math.min(times * 4, (MEASURED_MS * 1.2) / Math.max(each, 1e-6)));
  }
}

function startPython(context: BenchContext): Promise<Codec> {
  const folder = join(context.folder, "documents");
  mkdirSync(folder);
  const names = Object.keys(CODEC_VALUES);
  for (const [index, name] of names.entries()) {
    writeFileSync(join(folder, `${index}.xml`), codecDocument(name));
  }
  return startServing(context, [
    "python3",
    "-c",
    PYTHON_CODEC_WORKER,
    JSON.stringify(names),
    folder,
  ]);
}

/** What is compared has to do the same. */
function checkSaxes(): void {
  for (const name of Object.keys(CODEC_VALUES)) {
    const bytes = codecDocument(name);
    const answer = decodeResponse(bytes);
    if (!("value" in answer) || !isDeepStrictEqual(answer.value, decodeWithSaxes(bytes))) {
      throw new Error(`saxes read something else: ${name}`);
    }
  }
}

function microseconds(times: readonly number[]): string {
  const scaled = times.map((time) => time * 1_000);
  return `${spread(scaled, median(scaled) < 100 ? 1 : 0)} us`;
}
