import { join } from "node:path";
import { parseArgs } from "node:util";
import { FuncdVictim } from "../fixtures/hostile/funcdVictim";
import { OverlordVictim } from "../fixtures/hostile/overlordVictim";
import { certificateTargets } from "./certificateTargets";
import { runCorpus } from "./corpusRun";
import { FRAMING_TARGETS } from "./framingTargets";
import { fuzz } from "./fuzzRun";
import type { FuzzTarget } from "./fuzzTarget";
import { funcdTargets, overlordTargets } from "./liveTargets";
import { TEXT_TARGETS } from "./textTargets";
import { XML_TARGETS } from "./xmlTargets";

const HELP = `npm run fuzz -- [--minutes N | --seconds N] [--seed N] [--only WORD] [--in-process]
npm run fuzz -- --corpus

Tries damaged input of every kind on the parts that read it, and on a real funcd and overlord (not with
--in-process). Findings go to fuzz-findings.json, and the exit status is 1 then.
--corpus: the hostile corpus instead, with its figures.
`;
const DEFAULT_MINUTES = 10;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      only: { type: "string", default: "" },
      "in-process": { type: "boolean", default: false },
      corpus: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.corpus) return (await runCorpus()) ? 0 : 1;
  const seconds = Number(values.seconds ?? Number(values.minutes ?? DEFAULT_MINUTES) * 60);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
    process.stderr.write(HELP);
    return 2;
  }
  const closers: (() => Promise<void>)[] = [];
  try {
    const targets: FuzzTarget[] = [
      ...XML_TARGETS,
      ...FRAMING_TARGETS,
      ...TEXT_TARGETS,
      ...certificateTargets(),
    ];
    if (!values["in-process"]) {
      const funcd = await FuncdVictim.start();
      closers.push(() => funcd.close());
      const overlord = await OverlordVictim.start();
      closers.push(() => overlord.close());
      targets.push(...funcdTargets(funcd), ...overlordTargets(overlord));
    }
    const chosen = targets.filter(({ name }) => name.includes(values.only));
    const file = join(process.cwd(), "fuzz-findings.json");
    process.stdout.write(`seed ${seed}, ${chosen.length} targets, ${seconds} seconds\n`);
    const result = await fuzz(chosen, { seed, forMs: seconds * 1_000, file });
    for (const [name, cases] of result.cases) {
      process.stdout.write(`${String(cases).padStart(10)}  ${name}\n`);
    }
    const { findings, slowestMs, peakMegabytes } = result;
    process.stdout.write(
      `slowest ${slowestMs.toFixed(0)} ms, at most ${peakMegabytes.toFixed(0)} MB; ` +
        `${findings.length} findings${findings.length > 0 ? `, see ${file}` : ""}\n`,
    );
    return findings.length > 0 ? 1 : 0;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
