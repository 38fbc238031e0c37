import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { FuncError, messageOf } from "../common/errors";
import { defaultFuncdHome } from "../common/funcdHome";
import { sinceTime } from "../common/auditText";
import { parseFingerprint } from "../pki/certificates/fingerprintWords";
import { parseHostPort, type HostPort } from "../common/hostPort";
import { aclCall, type AclQuestion } from "./aclCommand";
import type { AuditQuestion } from "./auditCommand";
import { parseListen, type ListenAddress } from "./configuration";
import type { OriginatorQuestion } from "./originatorCommand";

export const HELP = `funcd: the daemon of a host that an overlord manages

  funcd [options]              serve; ends with SIGTERM or SIGINT
  funcd join TOKEN [options]   enrol with an overlord (TOKEN "-" reads it from standard input)
  funcd join --ask HOST[:PORT] [options]
                               ask without a token, and wait until an operator approves it
  funcd csr [--out FILE]       print a certificate request, to be signed with "func ca sign FILE"
  funcd install-certificate [FILE]
                               take what "func ca sign" printed (default: from standard input)
  funcd status [--json]        name, key and certificate, and whether it runs
  funcd stop                   end the funcd that serves this home
  funcd audit show [--last N] [--since TIME] [--json]
                               who called what here (TIME: 2h, 2026-11-22)
  funcd audit verify [--json]  whether a line of that was changed or removed
  funcd originator list [--json]
                               the overlords whose signed calls others may bring here
  funcd originator forget NAME take another key for that name, when its overlord was set up anew
  funcd acl check [--json]     whether the access rules are right, and name what is here
  funcd acl check ROLE NAME METHOD [ARGS...]
                               whether they would allow that call, such as: operator alice test.ping

Options:
  --home DIR           folder of this minion; several make several minions in one process
                       (default: FUNCD_HOME, else /var/lib/funcd as root, else ~/.local/share/funcd)
  --name NAME          name of this minion (default: the host's name)
  --listen HOST:PORT   where to listen (default: 0.0.0.0:51234; port 0 chooses a free one)
  --announce HOST      address under which overlords reach this host (with join)
  --ca-fingerprint HEX the overlord's CA, from "func ca list" (with --ask); without it you are asked
                       to compare a few words
  --minutes N          how long to wait for the operator (with --ask; default: 60, at most 1440)
  --key HEX            SHA-256 of the caller's public key, where rules name keys (with acl check)
  --subject NAME-HASH  of the caller's certificate, for rules in the original's format (with acl check)
  --out FILE           write there instead of standard output (with csr)
  --log FILE           write the log there (10 MB at most) instead of to standard error
  --exit-with-stdin    end when standard input closes
  --list-modules       show the modules of this funcd
  --version            show the version
  --help               show this text

Name, address and announced host are kept in DIR/minion.yaml. A token in the file DIR/join-token is
used at the start, and removed once this minion is enrolled.
`;

export type FuncdAction =
  | "serve"
  | "join"
  | "csr"
  | "install-certificate"
  | "status"
  | "stop"
  | "audit"
  | "acl"
  | "originator"
  | "help"
  | "version"
  | "list-modules";

/** First words that ask for something else than serving. */
const VERBS = [
  "join",
  "csr",
  "install-certificate",
  "status",
  "stop",
  "audit",
  "acl",
  "originator",
] as const;
type Verb = (typeof VERBS)[number];
/** Those that a word can follow. */
const WITH_OPERAND: ReadonlySet<Verb> = new Set<Verb>([
  "join",
  "install-certificate",
  "audit",
  "acl",
  "originator",
]);

const WITH_JSON: ReadonlySet<Verb> = new Set<Verb>(["status", "audit", "acl", "originator"]);

/** Where a certmaster listens unless overlord.yaml says otherwise. */
const CERTMASTER_PORT = 51_235;
const MAX_ASK_MINUTES = 24 * 60;

export interface FuncdOptions {
  action: FuncdAction;
  homes: string[];
  token?: string;
  /** Instead of a token: who is asked, and how long. */
  ask?: { at: HostPort; caFingerprint?: string; timeoutMs: number };
  /** Of a certificate to be installed; "-" is standard input. */
  file?: string;
  /** Where the certificate request goes, instead of standard output. */
  out?: string;
  json: boolean;
  /** File of the log, instead of standard error. */
  log?: string;
  audit?: AuditQuestion;
  acl?: AclQuestion;
  originator?: OriginatorQuestion;
  name?: string;
  listen?: ListenAddress;
  announce?: string;
  exitWithStdin: boolean;
}

/** Reads the command line. Throws FuncError "bad-argument". */
export function parseFuncdOptions(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): FuncdOptions {
  const { values, positionals } = parse(argv);
  const [first, operand, ...more] = positionals;
  const verb = VERBS.find((known) => known === first);
  const unexpected =
    (verb === undefined ? first : undefined) ??
    (verb === undefined || !WITH_OPERAND.has(verb) ? operand : undefined) ??
    (verb === "acl" || verb === "originator" ? undefined : more[0]);
  if (unexpected !== undefined) throw usage(`"${unexpected}" is not expected here`);
  const ask = askOf(values, verb);
  if (verb === "join" && !ask && (operand === undefined || operand === "")) {
    throw usage("join needs a TOKEN, or --ask HOST");
  }
  if (ask && operand !== undefined) throw usage("--ask needs no TOKEN");
  const homes = (values.home ?? [defaultFuncdHome(env)]).map((home) => resolve(home));
  if (new Set(homes).size < homes.length) throw usage("the same --home is given twice");
  if (homes.length > 1 && (values.name !== undefined || verb !== undefined)) {
    throw usage(
      `several --home go neither with --name nor with ${verb ?? "join"}: each has its own minion.yaml`,
    );
  }
  if (homes.length > 1 && values.listen !== undefined && parseListen(values.listen).port !== 0) {
    throw usage("several minions cannot listen on one port: use port 0");
  }
  if (values.announce !== undefined && verb !== "join") throw usage("--announce goes with join");
  if (values.log !== undefined && verb !== undefined) throw usage("--log goes with serving");
  if (values.out !== undefined && verb !== "csr") throw usage("--out goes with csr");
  if (values.json === true && (verb === undefined || !WITH_JSON.has(verb))) {
    throw usage("--json goes with status, audit, acl and originator");
  }
  return {
    action: actionOf(values, verb),
    homes,
    ...(verb === "join" && { token: operand }),
    ask,
    ...(verb === "install-certificate" && { file: operand ?? "-" }),
    out: values.out,
    json: values.json ?? false,
    log: values.log,
    audit: auditOf(values, verb, operand),
    acl: aclOf(values, verb, operand, more),
    originator: originatorOf(values, verb, operand, more),
    name: values.name,
    listen: values.listen === undefined ? undefined : parseListen(values.listen),
    announce: values.announce,
    exitWithStdin: values["exit-with-stdin"] ?? false,
  };
}

type Parsed = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        home: { type: "string", multiple: true },
        name: { type: "string" },
        listen: { type: "string" },
        announce: { type: "string" },
        ask: { type: "string" },
        "ca-fingerprint": { type: "string" },
        minutes: { type: "string" },
        out: { type: "string" },
        json: { type: "boolean" },
        log: { type: "string" },
        key: { type: "string" },
        subject: { type: "string" },
        last: { type: "string" },
        since: { type: "string" },
        "exit-with-stdin": { type: "boolean" },
        "list-modules": { type: "boolean" },
        version: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw usage(messageOf(error).split(". ", 1)[0] ?? "");
  }
}

function askOf(values: Parsed["values"], verb: Verb | undefined): FuncdOptions["ask"] {
  const { ask, minutes = "60", "ca-fingerprint": typed } = values;
  if (ask === undefined) {
    if (typed !== undefined) throw usage("--ca-fingerprint goes with --ask");
    if (values.minutes !== undefined) throw usage("--minutes goes with --ask");
    return undefined;
  }
  if (verb !== "join") throw usage("--ask goes with join");
  const count = /^\d{1,4}$/.test(minutes) ? Number(minutes) : 0;
  if (count < 1 || count > MAX_ASK_MINUTES) throw usage("--minutes needs a number from 1 to 1440");
  return {
    at: parseHostPort(ask, CERTMASTER_PORT),
    ...(typed !== undefined && { caFingerprint: parseFingerprint(typed) }),
    timeoutMs: count * 60_000,
  };
}

function auditOf(
  { last, since, json = false }: Parsed["values"],
  verb: Verb | undefined,
  action: string | undefined,
): AuditQuestion | undefined {
  const shows = verb === "audit" && action === "show";
  if (!shows && (last ?? since) !== undefined) throw usage("--last and --since go with audit show");
  if (verb !== "audit") return undefined;
  if (action !== "show" && action !== "verify") throw usage("audit needs show or verify");
  if (last !== undefined && since !== undefined) throw usage("--last does not go with --since");
  if (last !== undefined && !/^[1-9]\d{0,5}$/.test(last)) {
    throw usage("--last needs a number of lines");
  }
  const sinceMs = since === undefined ? undefined : sinceTime(since);
  if (since !== undefined && sinceMs === undefined) {
    throw usage("--since needs a time such as 2026-11-22T08:30Z, 30m, 2h or 7d");
  }
  return {
    action,
    json,
    ...(last !== undefined && { last: Number(last) }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}

function aclOf(
  { key, subject, json = false }: Parsed["values"],
  verb: Verb | undefined,
  action: string | undefined,
  words: readonly string[],
): AclQuestion | undefined {
  if (verb === "acl" && action === "check") return { json, call: aclCall(words, { key, subject }) };
  if (verb === "acl") throw usage("acl needs check");
  if ((key ?? subject) !== undefined) throw usage("--key and --subject go with acl check");
  return undefined;
}

function originatorOf(
  { json = false }: Parsed["values"],
  verb: Verb | undefined,
  action: string | undefined,
  [name, ...more]: readonly string[],
): OriginatorQuestion | undefined {
  if (verb !== "originator") return undefined;
  if (action === "list" && name === undefined) return { json };
  if (action === "forget" && name !== undefined && more.length === 0) return { json, forget: name };
  throw usage("originator needs list, or forget NAME");
}

function actionOf(values: Parsed["values"], verb: Verb | undefined): FuncdAction {
  if (values.help) return "help";
  if (values.version) return "version";
  if (values["list-modules"]) return "list-modules";
  return verb ?? "serve";
}

function usage(what: string): FuncError {
  return new FuncError("bad-argument", what, "See funcd --help.");
}
