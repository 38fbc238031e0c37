// npm run demo: what Func does, shown by the real command line against a small tree of minions on this machine.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { dist, startLocalOverlord, type LocalOverlord } from "./localOverlord";
import { runScript } from "./runScript";

/** Two sub-overlords with two minions each, and one directly below the top. */
const TREE = { tiers: [2, 2], direct: 1 };
const POLL_MS = 500;
/** Far more than the demonstration's job takes. */
const MAX_POLLS = 60;

void runScript(async (signal) => {
  tell("An overlord, two sub-overlords and five minions start, in a directory of their own.");
  const started = Date.now();
  const overlord = await startLocalOverlord({ ...TREE, signal });
  try {
    tell(`${overlord.names.join(", ")} answer after ${seconds(Date.now() - started)}.`);
    const run = (words: string[], quiet?: boolean) => runProgram(overlord, words, signal, quiet);
    await show(run, overlord);
  } finally {
    const since = Date.now();
    await overlord.close();
    tell(
      `Minions and overlord have stopped, their directory is removed (${seconds(Date.now() - since)}).`,
    );
  }
});

/** Runs a program of dist/, the first word. */
type Run = (words: string[], quiet?: boolean) => Promise<string>;

async function show(run: Run, fleet: LocalOverlord): Promise<void> {
  const func = (words: string[], quiet?: boolean): Promise<string> =>
    run(["func", ...words], quiet);
  tell("Who is there? These are the ones directly below this overlord:");
  await func(["*", "ping"]);

  tell("mid1 and mid2 are sub-overlords. The map of all, built by asking them:");
  await func(["map", "show"]);

  tell("One command on all that are no sub-overlords, wherever they are:");
  await func([
    "minion*",
    "call",
    "--delegate",
    "command",
    "run",
    "echo I am process $$; uname -sr",
  ]);

  tell("minion1 is only reached by way of mid1. Who asked is known there all the same:");
  await func(["--typed", "minion1", "call", "--delegate", "test", "add", "1", "2"]);
  const { home } = fleet;
  const minion1 = join(home, "sub-overlords", "mid1", "minions", "minion1");
  await run(["funcd", "audit", "show", "--last", "1", "--home", minion1]);

  tell("A sub-overlord has its own data directory; this is what mid1 was asked for:");
  const { subOverlords } = fleet;
  await run(["func", "jobs", "list", "--home", subOverlords.get("mid1") ?? home]);

  tell("A job: the call returns at once, its (code, results) follow as the minions finish.");
  const answer = await func([
    "minion*",
    "call",
    "--delegate",
    "--async",
    "--nopoll",
    "command",
    "run",
    SLOW_COMMAND,
  ]);
  const jobId = /JOB_ID: '(.+)'/.exec(answer)?.[1];
  if (jobId === undefined) throw new Error(`No job id in: ${answer}`);
  await pollJob(func, jobId);

  tell("A method that does not exist, and how the minions say so:");
  await func(["minion5", "call", "command", "rum", "uptime"]);

  tell("minion2 is stopped: it gets its own explained entry, the others are not held up.");
  await fleet.stop("minion2");
  await func(["--typed", "minion*", "call", "--delegate", "test", "add", "1", "2"]);
}

/** 1 to 3 seconds, by the number of its process: the minions seldom finish together. */
const SLOW_COMMAND = "sleep $(( ($$ % 3) + 1 )); echo done";

/** Prints the job's code and results each time that they change. */
async function pollJob(func: Run, jobId: string): Promise<void> {
  let last = "";
  for (let poll = 0; poll < MAX_POLLS; poll++) {
    const words = ["*", "call", "--jobstatus", jobId];
    const now = await func(words, true);
    if (now !== last) {
      process.stdout.write(poll === 0 ? echo(["func", ...words]) : "");
      process.stdout.write(now.replace(/^/gm, "  ").replace(/ +$/, ""));
    }
    last = now;
    if (now.startsWith("1 ")) return;
    await delay(POLL_MS);
  }
  throw new Error(`The job ${jobId} did not finish.`);
}

/** Runs a real program, shows what it is called with and what it prints; resolves with its stdout. */
async function runProgram(
  { home }: LocalOverlord,
  words: string[],
  signal: AbortSignal,
  quiet = false,
): Promise<string> {
  if (!quiet) process.stdout.write(echo(words));
  const [program = "", ...rest] = words;
  const child = spawn(process.execPath, [join(dist, `${program}.js`), ...rest], {
    env: { ...process.env, FUNC_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (!quiet) process.stdout.write(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    // in the order in which a terminal would show it
    process.stdout.write(text);
  });
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
  if (!quiet && status !== 0) process.stdout.write(`(exit status ${status})\n`);
  return stdout;
}

function tell(text: string): void {
  process.stdout.write(`\n# ${text}\n`);
}

function echo(words: readonly string[]): string {
  const quoted = words.map((word) => (/^[\w.-]+$/.test(word) ? word : `'${word}'`));
  return `\n$ ${quoted.join(" ")}\n`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
