import { resolve } from "node:path";
import { parseMinionName } from "../../common/minionName";
import { isHost } from "../../common/hostPort";
import type { OptionReader, OptionRule } from "../optionReader";
import { nothingMore, usage, wholeNumber } from "../parseSteps";
import { parseDestination, parseRemotePath, parseSshOption } from "./destination";
import type { AddHost, RemoveHost, SshChoices } from "./hostsCommands";

const MAX_PORT = 65_535;

/** What follows `func add-host`. Throws FuncError "bad-argument". */
export function parseAddHost(reader: OptionReader): AddHost {
  const asked: AddHost = {
    kind: "addHost",
    destinations: [],
    sshOptions: [],
    userUnit: false,
    service: true,
    replace: false,
    yes: false,
  };
  reader.add([
    ...sshRules(asked),
    { names: ["--name"], kind: "value", set: (value) => (asked.name = parseMinionName(value)) },
    {
      names: ["--port"],
      kind: "value",
      set: (value) => (asked.port = wholeNumber("--port", value, MAX_PORT)),
    },
    { names: ["--address"], kind: "value", set: (value) => (asked.address = address(value)) },
    {
      names: ["--node"],
      kind: "value",
      set: (value) => (asked.node = parseRemotePath("--node", value)),
    },
    { names: ["--remote-home"], kind: "value", set: (value) => (asked.home = remoteHome(value)) },
    { names: ["--user-unit"], kind: "flag", set: () => (asked.userUnit = true) },
    { names: ["--no-service"], kind: "flag", set: () => (asked.service = false) },
    { names: ["--replace"], kind: "flag", set: () => (asked.replace = true) },
    { names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) },
  ]);
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    asked.destinations.push(parseDestination(next.word));
  }
  if (asked.destinations.length === 0) throw usage("add-host needs hosts: [USER@]HOST...");
  const single = asked.name !== undefined || asked.address !== undefined || asked.replace;
  if (single && asked.destinations.length > 1) {
    throw usage("--name, --address and --replace go with one host at a time.");
  }
  return asked;
}

/** What follows `func remove-host`. Throws FuncError "bad-argument". */
export function parseRemoveHost(reader: OptionReader): RemoveHost {
  const asked: Omit<RemoveHost, "name"> = {
    kind: "removeHost",
    sshOptions: [],
    keepFiles: false,
    offline: false,
    yes: false,
  };
  reader.add([
    ...sshRules(asked),
    {
      names: ["--ssh"],
      kind: "value",
      set: (value) => (asked.destination = parseDestination(value)),
    },
    { names: ["--remote-home"], kind: "value", set: (value) => (asked.home = remoteHome(value)) },
    { names: ["--keep-files"], kind: "flag", set: () => (asked.keepFiles = true) },
    { names: ["--offline"], kind: "flag", set: () => (asked.offline = true) },
    { names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) },
  ]);
  const name = reader.next()?.word;
  if (name === undefined) throw usage("remove-host needs the name of a minion.");
  nothingMore(reader);
  return { ...asked, name: parseMinionName(name) };
}

function sshRules(asked: SshChoices): OptionRule[] {
  return [
    {
      names: ["--ssh-option"],
      kind: "value",
      set: (value) => void asked.sshOptions.push(parseSshOption(value)),
    },
    { names: ["--identity"], kind: "value", set: (value) => (asked.identity = identity(value)) },
  ];
}

function identity(value: string): string {
  if (value === "") throw usage("--identity needs the path of a private key.");
  return resolve(value);
}

function address(value: string): string {
  if (!isHost(value)) throw usage(`--address needs a host name or an IP address, not "${value}".`);
  return value.toLowerCase();
}

function remoteHome(value: string): string {
  return parseRemotePath("--remote-home", value);
}
