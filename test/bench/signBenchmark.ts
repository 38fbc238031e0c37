import { atLeast } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import type { SignOptions } from "./signWorker";
import { interleaved, pairedRatio, pairs, spread } from "./statistics";
import { startWorker } from "./worker";

const LEAST = 20;
const OURS_AT_ONCE = 200;
const FORGE_AT_ONCE = 10;

/** Target T10: what it costs to read, check and sign a certificate request. */
export const signBenchmark: Benchmark = {
  name: "sign",
  what: "certificate requests signed, against node-forge alone",
  async *run(context) {
    const measurements = {
      ec: await signing(context, { library: "ours", keys: "EC" }, OURS_AT_ONCE),
      rsa: await signing(context, { library: "ours", keys: "RSA" }, OURS_AT_ONCE),
      forge: await signing(context, { library: "forge", keys: "RSA" }, FORGE_AT_ONCE),
    };
    for (const measure of Object.values(measurements)) await measure(); // warm
    const { ec, rsa, forge } = await interleaved(context.rounds, measurements);
    const row = (name: string, ours: readonly number[]) =>
      atLeast(LEAST, {
        name,
        value: pairedRatio(pairs(forge, ours)),
        unit: "CPU time",
        details: `${spread(ours, 2)} against ${spread(forge, 2)} ms a certificate`,
      });
    yield row("T10 signing, times as fast as node-forge with RSA: EC", ec);
    yield row("T10 signing, times as fast as node-forge with RSA: requests with RSA", rsa);
  },
};

/** ms for one certificate. */
async function signing(
  context: BenchContext,
  options: SignOptions,
  times: number,
): Promise<() => Promise<number>> {
  const worker = await startWorker(context, "sign", options);
  return async () => Number(await worker.ask({ times })) / times;
}
