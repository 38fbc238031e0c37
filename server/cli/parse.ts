import { FuncError } from "../common/errors";
import { groupUsage } from "./help";
import type { AddHost, RemoveHost } from "./hosts/hostsCommands";
import { parseAddHost, parseRemoveHost } from "./hosts/parseHosts";
import { OptionReader, type OptionRule } from "./optionReader";
import type { CaAt } from "./parseAt";
import { parseAudit } from "./parseAudit";
import { parseCa } from "./parseCa";
import type { CaAccept, CaImport } from "./parseCaImport";
import type { CaCrl, CaRevoke } from "./parseCaRevoke";
import type { CaRotate } from "./parseCaRotate";
import type { CaRequest } from "./parseCaRequests";
import type { CaOperator, CaSign } from "./parseCaSigning";
import { parseCertmasterCa, type CertmasterCa } from "./parseCertmasterCa";
import { parseAddress } from "./parseAddress";
import { callRules, checkCallOptions, type CallOptions } from "./parseCallOptions";
import { parseJobs, type JobsCommand } from "./parseJobs";
import { mapFilePath, parseBuildMap, parseMapCommand, type MapCommand } from "./parseMap";
import { parseOverlord } from "./parseOverlord";
import { parseSubOverlord, type SubOverlordCommand } from "./parseSubOverlord";
import { nothingMore, number, reservedUsage, towardsHelp, usage, wholeNumber } from "./parseSteps";

/** Options that every command knows. */
export interface GlobalOptions {
  /** Time limit on each minion. */
  timeoutMs?: number;
  /** How many minions are called at the same time. */
  forks?: number;
  json: boolean;
  /** Arguments are read as JSON, and --json keeps the types of XML-RPC. */
  typed: boolean;
  async: boolean;
  nopoll: boolean;
  /** Data directory, instead of FUNC_HOME. */
  home?: string;
  /** Target expression of the minions that are left out. */
  exclude?: string;
  /** Minions behind sub-overlords are meant too. */
  delegate?: true;
  /** Another map than the overlord's own: an absolute path. */
  mapFile?: string;
  /** How a call goes over its minions. */
  calls: CallOptions;
}

export type Command =
  | { kind: "help"; topic?: string }
  | { kind: "version" }
  | {
      kind: "call";
      spec: string;
      module: string;
      method: string;
      args: string[];
      raw?: true;
    }
  | { kind: "ping"; spec: string }
  | { kind: "listMinions"; spec: string }
  | { kind: "methods"; spec: string; module?: string }
  | { kind: "jobStatus"; spec: string; job: string }
  | (CaAt & { kind: "caToken"; nameGlob?: string; ttlMs?: number; addresses: string[] })
  | (CaAt & { kind: "caList" })
  | { kind: "caRenew"; spec?: string }
  | CaRotate
  | { kind: "caPassphrase"; remove: boolean; stdin: boolean }
  | { kind: "caUnlock"; stdin: boolean }
  | { kind: "caForget"; names: string[]; yes: boolean }
  | CaRevoke
  | CaCrl
  | (CaAt & CaRequest)
  | CertmasterCa
  | AddHost
  | RemoveHost
  | CaSign
  | CaOperator
  | CaImport
  | CaAccept
  | { kind: "groupList" }
  | { kind: "groupAdd"; name: string; hosts: string[] }
  | { kind: "groupRemove"; name: string; hosts: string[] }
  | { kind: "overlordStatus" }
  | { kind: "address"; name: string; address: string; port?: number }
  | { kind: "overlordStop"; force: boolean }
  | { kind: "overlordBackup" | "overlordMove"; file: string; stdin: boolean; unencrypted: boolean }
  | { kind: "installService"; print: boolean }
  | { kind: "removeService" }
  | { kind: "overlordRestore"; file: string; stdin: boolean; replace: boolean }
  | JobsCommand
  | MapCommand
  | SubOverlordCommand
  | { kind: "auditShow"; last?: number; sinceMs?: number }
  | { kind: "auditVerify" };

export interface CommandLine {
  options: GlobalOptions;
  command: Command;
}

/** First words that are commands and not minions, built or not. */
const RESERVED = new Set(
  (
    "address ca certmaster-ca overlord jobs map audit run group add-host remove-host suboverlord build-map " +
    "completion help"
  ).split(" "),
);
/** Commands of the original behind a target expression that this version does not have. */
const ORIGINAL_COMMANDS = new Set("copyfile getfile show grep check dump_config".split(" "));
/** Commands behind a target expression. */
const TARGETED = "call, ping, list_minions or methods";
const TARGET_KINDS: ReadonlySet<Command["kind"]> = new Set<Command["kind"]>([
  "call",
  "ping",
  "listMinions",
  "methods",
  "jobStatus",
]);
const MAX_FORKS = 10_000;
/** The overlord counts in milliseconds. */
const TIMEOUT_S = { unit: "seconds", least: 0.001, most: 86_400, example: "2.5" };

/** What `argv` (without program and script) asks for. Throws FuncError "bad-argument". */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const options: GlobalOptions = {
    json: false,
    typed: false,
    async: false,
    nopoll: false,
    calls: {},
  };
  const asked: { help?: true; version?: true; topic?: string } = {};
  const reader = new OptionReader(argv, [
    ...globalRules(options),
    { names: ["-h", "--help"], kind: "flag", set: () => (asked.help = true) },
    { names: ["--version"], kind: "flag", set: () => (asked.version = true) },
  ]);
  try {
    const first = reader.first();
    if (first && !first.escaped && RESERVED.has(first.word)) asked.topic = first.word;
    const command = parseCommand(first, reader, options);
    if (asked.help) return { options, command: help(asked.topic) };
    if (asked.version) return { options, command: { kind: "version" } };
    // left out silently, it would do more than was asked for
    if (options.exclude !== undefined && !TARGET_KINDS.has(command.kind)) {
      throw usage("--exclude goes with a target expression only.");
    }
    checkDelegation(options, command);
    // waited for all the same, it would look as if the option did something
    if (options.nopoll && !options.async && command.kind !== "jobsRetry") {
      throw usage("--nopoll goes with --async only: any other call is waited for.");
    }
    checkCallOptions(options, command.kind === "call");
    return { options, command };
  } catch (error) {
    if (asked.help) return { options, command: help(asked.topic) };
    if (asked.version) return { options, command: { kind: "version" } };
    throw towardsHelp(error, asked.topic);
  }
}

/** Of one first word, where there is anything to say about it. */
function help(topic: string | undefined): Command {
  const known = topic !== undefined && groupUsage(topic) !== "";
  return { kind: "help", ...(known && { topic }) };
}

function parseCommand(
  first: ReturnType<OptionReader["first"]>,
  reader: OptionReader,
  options: GlobalOptions,
): Command {
  if (first === undefined) {
    throw usage(`func needs a target and a command, such as: func "*" ping`);
  }
  if (!first.escaped && RESERVED.has(first.word)) return parseReserved(first.word, reader, options);
  return parseTargeted(first.word, reader, options);
}

function parseTargeted(spec: string, reader: OptionReader, options: GlobalOptions): Command {
  const command = reader.next()?.word;
  switch (command) {
    case "call":
      return parseCall(spec, reader, options);
    case "ping":
      nothingMore(reader);
      return { kind: "ping", spec };
    case "list_minions":
    case "list-minions":
      nothingMore(reader);
      return { kind: "listMinions", spec };
    case "methods": {
      const module = reader.next()?.word;
      nothingMore(reader);
      return { kind: "methods", spec, ...(module !== undefined && { module }) };
    }
    case "group":
      throw usage(`The command group stands first, such as: func group add NAME "${spec}"`);
    case undefined:
      throw usage(`func "${spec}" needs a command: ${TARGETED}.`);
    default:
      throw usage(
        ORIGINAL_COMMANDS.has(command)
          ? `The command "${command}" of the original func is not available in this version.`
          : `There is no command "${command}": use ${TARGETED}.`,
      );
  }
}

function parseCall(spec: string, reader: OptionReader, options: GlobalOptions): Command {
  const asked: { status?: true; raw?: true } = {};
  reader.add([
    { names: ["-s", "--jobstatus"], kind: "flag", set: () => (asked.status = true) },
    { names: ["--raw"], kind: "flag", set: () => (asked.raw = true) },
  ]);
  const module = reader.next()?.word;
  if (module === undefined) {
    throw usage(
      asked.status
        ? `call --jobstatus needs the id of a job.`
        : `call needs a module and a method, such as: func "${spec}" call test ping`,
    );
  }
  const method = reader.next()?.word;
  if (asked.raw && (asked.status || options.json || options.nopoll)) {
    throw usage(
      "--raw prints one result as it is: it does not go with --json, --nopoll, --jobstatus.",
    );
  }
  if (asked.status) {
    if (method !== undefined) throw usage(`call --jobstatus takes the id of one job.`);
    return { kind: "jobStatus", spec, job: module };
  }
  if (method === undefined) throw usage(`call needs a method of the module "${module}".`);
  return {
    kind: "call",
    spec,
    module,
    method,
    args: reader.rest(),
    ...(asked.raw && { raw: true }),
  };
}

function parseReserved(word: string, reader: OptionReader, options: GlobalOptions): Command {
  switch (word) {
    case "help": {
      const topic = reader.next()?.word;
      if (topic !== undefined && groupUsage(topic) === "") {
        throw usage(`There is nothing to say about "${topic}".`);
      }
      return help(topic);
    }
    case "add-host":
      return parseAddHost(reader);
    case "remove-host":
      return parseRemoveHost(reader);
    case "ca":
      return parseCa(reader);
    case "certmaster-ca":
      return parseCertmasterCa(reader.rest(), options);
    case "audit":
      return parseAudit(reader);
    case "address":
      return parseAddress(reader);
    case "overlord":
      return parseOverlord(reader);
    case "jobs":
      return parseJobs(reader);
    case "map":
      return parseMapCommand(reader);
    case "build-map":
      return parseBuildMap(reader);
    case "suboverlord":
      return parseSubOverlord(reader);
    case "group":
      return parseGroup(reader);
    default:
      throw new FuncError(
        "bad-argument",
        `The word "${word}" is reserved for a command that is not available in this version.`,
        `For a minion of that name: func -- ${word} ping`,
      );
  }
}

function parseGroup(reader: OptionReader): Command {
  const action = reader.next()?.word;
  if (action === "list" || action === undefined) {
    nothingMore(reader);
    return { kind: "groupList" };
  }
  if (action !== "add" && action !== "remove")
    throw reservedUsage("group", "list, add or remove", action);
  const name = reader.next()?.word;
  if (name === undefined) throw usage(`group ${action} needs the name of a group.`);
  const hosts: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) hosts.push(next.word);
  // an unset variable must not turn "remove some" into "delete the group"
  if (hosts.some((host) => /^[\s,;]*$/.test(host))) throw usage("One of the hosts is empty.");
  if (action === "remove") return { kind: "groupRemove", name, hosts };
  if (hosts.length === 0) throw usage("group add needs hosts or globs.");
  return { kind: "groupAdd", name, hosts };
}

function globalRules(options: GlobalOptions): OptionRule[] {
  return [
    {
      names: ["-t", "--timeout"],
      kind: "value",
      set: (value) =>
        (options.timeoutMs = Math.round(number("--timeout", value, TIMEOUT_S) * 1000)),
    },
    {
      names: ["-f", "--forks"],
      kind: "value",
      set: (value) => (options.forks = wholeNumber("--forks", value, MAX_FORKS)),
    },
    { names: ["-e", "--exclude"], kind: "value", set: (value) => addExclude(options, value) },
    { names: ["--delegate"], kind: "flag", set: () => (options.delegate = true) },
    {
      names: ["--mapfile"],
      kind: "value",
      set: (value) => (options.mapFile = mapFilePath(value)),
    },
    { names: ["-j", "--json"], kind: "flag", set: () => (options.json = true) },
    { names: ["--typed"], kind: "flag", set: () => (options.typed = true) },
    { names: ["-a", "--async"], kind: "flag", set: () => (options.async = true) },
    { names: ["-n", "--nopoll"], kind: "flag", set: () => (options.nopoll = true) },
    ...callRules(options.calls),
    { names: ["--home"], kind: "value", set: (value) => (options.home = folder(value)) },
  ];
}

/** Left out silently, they would reach fewer minions than was meant. */
function checkDelegation({ delegate, mapFile }: GlobalOptions, { kind }: Command): void {
  const hasTargets = TARGET_KINDS.has(kind);
  if (delegate && !hasTargets) throw usage("--delegate goes with a target expression only.");
  if (mapFile === undefined || delegate) return;
  throw usage(
    hasTargets
      ? "--mapfile names the map for --delegate: without that only the overlord's own minions are meant."
      : "--mapfile goes with --delegate, or with map.",
  );
}

/** Several are one union; an empty one is an unset variable, and would call too many. */
function addExclude(options: GlobalOptions, value: string): void {
  if (value.trim() === "") throw usage("--exclude needs a target expression.");
  options.exclude = options.exclude === undefined ? value : `${options.exclude};${value}`;
}

/** An unset variable in `--home "$DIR"` must not make the current folder a data directory. */
function folder(value: string): string {
  if (value === "") throw usage("--home needs the path of a folder.");
  return value;
}
