import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "./benchmark";

const PATIENCE_MS = 10_000;

/**
 * Has the requests counted that a process sends over TLS: give `env` to it, and ask once it runs. What is told
 * is what was sent since the last time.
 */
export async function requestMeter(context: BenchContext): Promise<{
  env: { [name: string]: string };
  ask: (pid: number) => Promise<number>;
}> {
  const script = join(context.folder, "request-meter.cjs");
  const report = join(context.folder, "requests.txt");
  await writeFile(script, meterScript(report));
  const ask = async (pid: number): Promise<number> => {
    await rm(report, { force: true });
    process.kill(pid, "SIGUSR2");
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      const text = await readFile(report, "utf8").catch(() => "");
      if (text.endsWith("\n")) return Number(text);
      await sleep(20);
    }
    throw new Error("the overlord does not tell how many requests it has sent");
  };
  return { env: { NODE_OPTIONS: `--require ${script}` }, ask };
}

/** Each request begins with its own write. A socket has a `write` of its own, which no prototype reaches. */
function meterScript(report: string): string {
  return `
const tls = require("node:tls");
const { writeFileSync } = require("node:fs");
let requests = 0;
const { connect } = tls;
tls.connect = function (...words) {
  const socket = connect.apply(this, words);
  const { write } = socket;
  socket.write = function (chunk, ...rest) {
    const head = typeof chunk === "string" ? chunk.slice(0, 5) : Buffer.from(chunk.buffer, chunk.byteOffset, 5).toString("latin1");
    if (head === "POST ") requests++;
    return write.call(this, chunk, ...rest);
  };
  return socket;
};
process.on("SIGUSR2", () => {
  writeFileSync(${JSON.stringify(report)}, requests + "\\n");
  requests = 0;
});
`;
}
