import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { FuncError, messageOf } from "../common/errors";
import { createLog } from "../common/log";
import { logFileWriter } from "../common/logFile";
import { accessReport, aclCommand, reportText } from "./aclCommand";
import { askConsole } from "./askConsole";
import { auditCommand } from "./auditCommand";
import { HELP, parseFuncdOptions, type FuncdOptions } from "./funcdOptions";
import { funcdStatus, stopFuncd } from "./funcdControl";
import { installSigned, prepareRequest } from "./manualEnrolment";
import { originatorCommand } from "./originatorCommand";
import { ownCommand } from "./ownCommand";
import { MODULE_NAMES, startMinion, type RunningMinion } from "./minion";

declare const __VERSION__: string;

const OK = 0;
const FAILED = 1;
const USAGE = 2;

const errorLog = createLog((line) => process.stderr.write(line));

async function main(): Promise<number> {
  const options = parseFuncdOptions(process.argv.slice(2));
  switch (options.action) {
    case "help":
      process.stdout.write(HELP);
      return OK;
    case "version":
      process.stdout.write(`funcd ${__VERSION__}\n`);
      return OK;
    case "list-modules":
      process.stdout.write(`${MODULE_NAMES.join("\n")}\n`);
      return OK;
    case "join":
      return join(options);
    case "csr":
      return csr(options);
    case "install-certificate":
      return install(options);
    case "status":
      return status(options);
    case "stop":
      return stop(options);
    case "audit":
      return audit(options);
    case "acl":
      return acl(options);
    case "originator":
      return originator(options);
    case "serve":
      return serve(options);
  }
}

async function join(options: FuncdOptions): Promise<number> {
  const { homes, token, name, listen, announce } = options;
  if (options.ask) return askToJoin(options, options.ask);
  // a token on the command line shows in the list of processes, hence "-"
  const joinToken = token === "-" ? (await text(process.stdin)).trim() : token;
  const [home = ""] = homes;
  return enrolled(
    home,
    await startMinion({ home, log: errorLog, name, listen, announce, joinToken }),
  );
}

async function askToJoin(
  { homes, name, listen, announce }: FuncdOptions,
  asked: NonNullable<FuncdOptions["ask"]>,
): Promise<number> {
  const [home = ""] = homes;
  const { signal } = endOfService(false);
  const ask = askConsole(asked, (line) => process.stdout.write(line), signal);
  return enrolled(
    home,
    await startMinion({ home, log: errorLog, name, listen, announce, ask, signal }),
  );
}

async function enrolled(home: string, minion: RunningMinion): Promise<number> {
  await minion.close();
  process.stdout.write(
    `${minion.name} is enrolled. Start it with: ${ownCommand()} --home ${home}\n` +
      `It will listen on port ${minion.port}.\n`,
  );
  return OK;
}

async function csr({ homes, name, listen, out }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  const request = await prepareRequest({ home, name, listen });
  if (out === undefined) process.stdout.write(request);
  else await writeFile(out, request);
  return OK;
}

async function install({ homes, name, listen, file = "-" }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  const given = file === "-" ? await text(process.stdin) : await readGiven(file);
  const installed = await installSigned({ home, name, listen }, given);
  const until = new Date(installed.notAfterMs).toISOString().slice(0, 10);
  const { pid } = await funcdStatus(home);
  process.stdout.write(
    `${installed.name} has its certificate, valid until ${until}. ` +
      (pid === undefined
        ? `Start it with: ${ownCommand()} --home ${home}\n`
        : `Restart the funcd that runs (process ${pid}), to use it.\n`),
  );
  return OK;
}

async function status({ homes, json }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  const found = await funcdStatus(home);
  const access = await accessReport(home).catch(() => undefined); // no home, no rules
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...found, ...(access && { access }) })}\n`);
    return OK;
  }
  const { name = "no name yet", listen, keyFingerprint, certificateNotAfterMs, pid } = found;
  const until =
    certificateNotAfterMs !== undefined && new Date(certificateNotAfterMs).toISOString();
  process.stdout.write(
    `${name} in ${home}\n` +
      (keyFingerprint === undefined ? "not enrolled\n" : `key ${keyFingerprint}\n`) +
      (until === false ? "" : `certificate until ${until}\n`) +
      (listen === undefined ? "" : `listens on ${listen}\n`) +
      (pid === undefined ? "does not run\n" : `runs, process ${pid}\n`) +
      (access ? reportText(access) : ""),
  );
  return OK;
}

async function stop({ homes }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  const ended = await stopFuncd(home);
  process.stdout.write(ended ? `The funcd of ${home} has ended.\n` : `No funcd runs in ${home}.\n`);
  return OK;
}

async function audit({ homes, audit: question }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  if (!question) return USAGE;
  const whole = await auditCommand(home, question, (line) => process.stdout.write(line));
  return whole ? OK : FAILED;
}

async function acl({ homes, acl: question }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  if (!question) return USAGE;
  const allowed = await aclCommand(home, question, (line) => process.stdout.write(line));
  return allowed ? OK : FAILED;
}

async function originator({ homes, originator: question }: FuncdOptions): Promise<number> {
  const [home = ""] = homes;
  if (!question) return USAGE;
  await originatorCommand(home, question, (line) => process.stdout.write(line));
  return OK;
}

async function readGiven(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new FuncError("not-found", `${file} cannot be read: ${messageOf(error)}`);
  });
}

async function serve(options: FuncdOptions): Promise<number> {
  const { homes, name, listen, exitWithStdin, log: logFile } = options;
  const log = logFile === undefined ? errorLog : createLog(logFileWriter(logFile));
  const ending = endOfService(exitWithStdin);
  const starts = homes.map((home) =>
    startMinion({ home, log, name, listen, signal: ending.signal }).then((minion) => {
      const { name, address, port } = minion;
      process.stdout.write(`funcd: ${name} serves on ${address}:${port}\n${movedText(minion)}`);
      return minion;
    }),
  );
  const settled = await Promise.allSettled(starts);
  const minions = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failures = settled.flatMap((one): unknown[] =>
    one.status === "rejected" ? [one.reason] : [],
  );
  if (failures.length > 0 && !ending.signal.aborted) {
    failures.forEach(report);
    await closeAll(minions);
    return FAILED;
  }
  await ending.reached;
  await closeAll(minions);
  return OK;
}

/** Overlords learn of an address when a minion enrols, and not again. */
function movedText({ name, port, formerPort }: RunningMinion): string {
  if (formerPort === undefined) return "";
  return `funcd: its port was ${formerPort}, and overlords call it there until they are told: func address ${name} HOST:${port}\n`;
}

interface Ending {
  signal: AbortSignal;
  reached: Promise<void>;
}

function endOfService(withStdin: boolean): Ending {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  if (withStdin) {
    process.stdin.once("end", end).once("close", end).once("error", end);
    process.stdin.resume();
  }
  const reached = new Promise<void>((resolve) => {
    ending.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  return { signal: ending.signal, reached };
}

async function closeAll(minions: RunningMinion[]): Promise<void> {
  await Promise.all(minions.map((minion) => minion.close()));
}

function report(error: unknown): void {
  const next = error instanceof FuncError && error.nextStep ? `\n${error.nextStep}` : "";
  process.stderr.write(`funcd: ${messageOf(error)}${next}\n`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    report(error);
    const isUsage = error instanceof FuncError && error.reason === "bad-argument";
    process.exit(isUsage ? USAGE : FAILED);
  },
);
