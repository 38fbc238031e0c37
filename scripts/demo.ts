// npm run demo: what Func does, shown by the real command line against three minions on this machine.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { dist, startLocalOverlord } from "./localOverlord";
import { runScript } from "./runScript";

const SIZE = 3;
const POLL_MS = 500;
/** Far more than the demonstration's job takes. */
const MAX_POLLS = 60;

void runScript(async (signal) => {
  tell(`An overlord and ${SIZE} minions start on this machine, in a directory of their own.`);
  const started = Date.now();
  const overlord = await startLocalOverlord({ size: SIZE, signal });
  try {
    tell(`${overlord.fleet.names.join(", ")} answer after ${seconds(Date.now() - started)}.`);
    await show((words, quiet) => runFunc(overlord.home, words, signal, quiet), overlord.fleet);
  } finally {
    const since = Date.now();
    await overlord.close();
    tell(
      `Minions and overlord have stopped, their directory is removed (${seconds(Date.now() - since)}).`,
    );
  }
});

type Func = (words: string[], quiet?: boolean) => Promise<string>;

async function show(func: Func, fleet: { stop(name: string): Promise<void> }): Promise<void> {
  tell("Who is there?");
  await func(["*", "ping"]);

  tell("One command on all of them, at the same time:");
  await func(["*", "call", "command", "run", "echo I am process $$; uname -sr"]);

  tell("A job: the call returns at once, its (code, results) follow as the minions finish.");
  const answer = await func(["*", "call", "--async", "--nopoll", "command", "run", SLOW_COMMAND]);
  const jobId = /JOB_ID: '(.+)'/.exec(answer)?.[1];
  if (jobId === undefined) throw new Error(`No job id in: ${answer}`);
  await pollJob(func, jobId);

  tell("A method that does not exist, and how the minions say so:");
  await func(["minion1", "call", "command", "rum", "uptime"]);

  tell("minion2 is stopped: it gets its own explained entry, the others are not held up.");
  await fleet.stop("minion2");
  await func(["--typed", "*", "call", "test", "add", "1", "2"]);
}

/** 1 to 3 seconds, by the number of its process: the minions seldom finish together. */
const SLOW_COMMAND = "sleep $(( ($$ % 3) + 1 )); echo done";

/** Prints the job's code and results each time that they change. */
async function pollJob(func: Func, jobId: string): Promise<void> {
  let last = "";
  for (let poll = 0; poll < MAX_POLLS; poll++) {
    const words = ["*", "call", "--jobstatus", jobId];
    const now = await func(words, true);
    if (now !== last) {
      process.stdout.write(poll === 0 ? echo(words) : "");
      process.stdout.write(now.replace(/^/gm, "  ").replace(/ +$/, ""));
    }
    last = now;
    if (now.startsWith("1 ")) return;
    await delay(POLL_MS);
  }
  throw new Error(`The job ${jobId} did not finish.`);
}

/** Runs the real func, shows what it is called with and what it prints; resolves with its stdout. */
async function runFunc(
  home: string,
  words: string[],
  signal: AbortSignal,
  quiet = false,
): Promise<string> {
  if (!quiet) process.stdout.write(echo(words));
  const child = spawn(process.execPath, [join(dist, "func.js"), ...words], {
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
  return `\n$ func ${quoted.join(" ")}\n`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
