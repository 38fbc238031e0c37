import { join } from "node:path";
import { DiskReserve } from "../common/diskReserve";
import { FuncError } from "../common/errors";
import type { Log } from "../common/log";
import { parseMinionName } from "../common/minionName";
import { identityOf } from "../pki/certificates/identity";
import { SerialQueue } from "../common/serialQueue";
import { RpcServer } from "../wire/rpcServer";
import { AccessControl } from "./accessControl";
import { Authorities, completeAuthorities } from "./authorities";
import { Audit, auditedCaller, auditFile } from "./audit";
import {
  DEFAULT_PORT,
  hostMinionName,
  readConfiguration,
  writeConfiguration,
  type ListenAddress,
  type MinionConfiguration,
} from "./configuration";
import { CallJournal } from "./callJournal";
import { Dispatcher } from "./dispatch";
import { enrolMinion, type AskOptions } from "./enrolment";
import { makeHome } from "./homeFolder";
import { lockHome } from "./homeLock";
import { MethodRegistry } from "./methodRegistry";
import { readCredentials, type MinionCredentials } from "./minionCredentials";
import { MinionJobs } from "./minionJobs";
import { commandModule } from "./modules/command";
import { delegationModule } from "./modules/delegation";
import { jobsModule, type JobsParts } from "./modules/jobs";
import { overlordModule } from "./modules/overlord";
import { systemModule } from "./modules/system";
import { testModule } from "./modules/test";
import { trustModule, type TrustParts } from "./modules/trust";
import { Originators } from "./originators";
import { Renewal } from "./renewal";
import { listWanted, Revocations } from "./revocations";
import { SignedCalls } from "./signedCall";
import { SubOverlord } from "./subOverlord";
import { SubOverlordPlaces } from "./subOverlordPlaces";
import { SyncCalls } from "./syncCalls";

export interface MinionOptions {
  /** The folder that holds everything of this minion; made where it is missing. */
  home: string;
  log: Log;
  /** These go before `minion.yaml` and are kept there. */
  listen?: ListenAddress;
  name?: string;
  announce?: string;
  /** For the enrolment; else the file `<home>/join-token` is used. */
  joinToken?: string;
  /** Enrols without a token: asks, and waits for an operator. */
  ask?: AskOptions;
  /** Aborts a start that waits for its enrolment. */
  signal?: AbortSignal;
}

export interface RunningMinion {
  name: string;
  port: number;
  /** The announced address, else the one it listens on. */
  address: string;
  /** Where overlords call it until they are told otherwise; absent where that is `port`. */
  formerPort?: number;
  /** Ends at once; async commands go on. */
  close(): Promise<void>;
}

/**
 * Starts a minion: locks its home, enrols it where it has no certificate yet, and serves.
 * Throws FuncError: "conflict" (home or port in use), "not-found" (not enrolled and no token), ...
 */
export async function startMinion(options: MinionOptions): Promise<RunningMinion> {
  const { home, log } = options;
  await makeHome(home);
  const reserve = new DiskReserve(home, log);
  const unlock = await lockHome(home, reserve);
  const closers: (() => Promise<void>)[] = [unlock, () => reserve.stop()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const configurationFile = join(home, "minion.yaml");
    const stored = await readConfiguration(configurationFile);
    await completeAuthorities(join(home, "pki"), log);
    const credentials = await readCredentials(join(home, "pki"), log);
    const wanted = configure(options, stored, credentials);
    const jobs = await MinionJobs.open(join(home, "jobs"), log, reserve);
    closers.push(() => jobs.close());
    const journal = await CallJournal.open(join(home, "calls"), log, reserve);
    closers.push(() => journal.close());
    const revocations = await Revocations.open(join(home, "pki"), log);
    const audit = new Audit(auditFile(home), log, { space: reserve });
    closers.push(() => audit.close());
    const overlord = new SubOverlord(
      new SubOverlordPlaces(configurationFile, wanted.subOverlord, log),
    );
    closers.push(async () => {
      overlord.close();
    });
    const parts = { jobs, journal, revocations, audit, overlord };
    const { server, use } = createServer(home, log, parts, credentials);
    closers.push(() => server.close());
    await reserve.keep();
    const { port } = await listen(server, wanted);
    const configuration = { ...wanted, listen: { ...wanted.listen, port } };
    if (!equal(configuration, stored)) await writeConfiguration(configurationFile, configuration);
    const { name } = configuration;
    const announce = configuration.announce ?? onlyAddress(configuration.listen.host);
    if (!credentials) {
      const { joinToken, ask, signal = new AbortController().signal } = options;
      const params = { home, name, port, announce, joinToken, ask, log, signal };
      use(await enrolMinion(params));
    }
    const formerPort = credentials && stored.listen?.port;
    const hasMoved = formerPort !== undefined && formerPort !== 0 && formerPort !== port;
    const address = announce ?? configuration.listen.host;
    return { name, port, address, ...(hasMoved && { formerPort }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What `list_modules` answers, for the command line. */
export const MODULE_NAMES: readonly string[] = [
  "command",
  "delegation",
  "jobs",
  "overlord",
  "test",
  "trust",
];

/** Every module of this minion, declared one by one. */
export function minionRegistry(
  home: string,
  parts: JobsParts,
  trust: TrustParts,
  overlord = new SubOverlord(),
): MethodRegistry {
  const registry = new MethodRegistry();
  registry.add(testModule(join(home, "modules", "test.json")));
  registry.add(commandModule);
  registry.add(delegationModule(overlord));
  registry.add(jobsModule(parts));
  registry.add(overlordModule(overlord));
  registry.add(trustModule(trust));
  registry.add(systemModule(registry, auditFile(home)));
  return registry;
}

function configure(
  options: MinionOptions,
  stored: Partial<MinionConfiguration>,
  credentials: MinionCredentials | undefined,
): MinionConfiguration {
  const asked = options.name === undefined ? undefined : parseMinionName(options.name);
  if (credentials && (options.joinToken !== undefined || options.ask)) {
    throw new FuncError(
      "conflict",
      `the minion in ${options.home} is enrolled already, as ${credentials.name}`,
      `To enrol it anew, move ${join(options.home, "pki")} away first.`,
    );
  }
  if (credentials && (asked ?? credentials.name) !== credentials.name) {
    throw new FuncError(
      "conflict",
      `the minion in ${options.home} is enrolled as ${credentials.name}, not as ${String(asked)}`,
      "Leave out --name, or enrol it anew under the other name.",
    );
  }
  return {
    name: credentials?.name ?? asked ?? stored.name ?? hostMinionName(),
    listen: options.listen ?? stored.listen ?? { host: "0.0.0.0", port: DEFAULT_PORT },
    announce: options.announce ?? stored.announce,
    ...(stored.subOverlord && { subOverlord: stored.subOverlord }),
  };
}

interface MinionParts {
  jobs: MinionJobs;
  journal: CallJournal;
  revocations: Revocations;
  audit: Audit;
  overlord: SubOverlord;
}

function createServer(
  home: string,
  log: Log,
  parts: MinionParts,
  credentials: MinionCredentials | undefined,
): { server: RpcServer; use: (credentials: MinionCredentials) => void } {
  const { jobs, journal, revocations, audit, overlord } = parts;
  let present = credentials;
  const use = (next: MinionCredentials): void => {
    server.setCredentials(next);
    present = next;
  };
  const pkiFolder = join(home, "pki");
  const queue = new SerialQueue();
  const renewal = new Renewal(pkiFolder, () => present, use, queue, log);
  const authorities = new Authorities({
    pkiFolder,
    present: () => present,
    use,
    revocationList: () => revocations.document(),
    queue,
    log,
  });
  const syncCalls = new SyncCalls();
  const originators = new Originators(pkiFolder, log, (change, originator) => {
    void audit.noteOriginator(change, originator);
  });
  const signedCalls = new SignedCalls({ present: () => present, originators });
  const registry = minionRegistry(
    home,
    { jobs, syncCalls, journal, originators, signedCalls },
    { renewal, revocations, authorities, originators },
    overlord,
  );
  const access = new AccessControl({ home }, registry, log, (problem) => {
    void audit.noteAccess(problem);
  });
  const calls = { jobs, syncCalls, journal, signedCalls };
  const dispatcher = new Dispatcher({ registry, access, ...calls, audit, log });
  const server = new RpcServer({
    ...(credentials && {
      key: credentials.key,
      certificate: credentials.certificate,
      ca: credentials.ca,
    }),
    clientCertificate: "required",
    admitConnection: ({ certificate, remoteAddress }) => {
      revocations.check(access.admit(certificate, remoteAddress));
      authorities.check(certificate);
    },
    onRefused: (reason, address, certificate) => {
      const identity = certificate && identityOf(certificate);
      void audit.write({ ...identity, address, outcome: `refused: ${reason}` });
    },
    handle: async ({ method, params, connection, callId, signal }) => {
      // again at each request: a held connection must not outlive its certificate
      const { certificate, remoteAddress, native } = connection;
      const caller = access.admit(certificate, remoteAddress);
      revocations.check(caller);
      authorities.check(certificate);
      if (revocations.holdsBack(method)) {
        const reason = "the revocation list is damaged";
        await audit.write({ ...auditedCaller(caller), method, outcome: "denied", reason });
        throw listWanted();
      }
      const request = { method, params, caller, callId, native, connectionClosed: signal };
      return dispatcher.handle(request);
    },
    log,
  });
  revocations.onApplied(() => {
    // what began under a CA that is given up may end: its next request is refused
    server.recheck(({ certificate, remoteAddress }) => {
      revocations.check(access.admit(certificate, remoteAddress));
    });
  });
  return { server, use };
}

async function listen(
  server: RpcServer,
  { listen: { host, port } }: MinionConfiguration,
): Promise<{ port: number }> {
  try {
    return await server.listen(port, host);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? codeOfCause(error);
    if (code === "EADDRINUSE") {
      throw new FuncError(
        "conflict",
        `port ${port} on ${host} is in use by another program`,
        "Stop that one, or listen elsewhere with --listen HOST:PORT.",
      );
    }
    if (code === "EADDRNOTAVAIL" || code === "EACCES" || code === "ENOTFOUND") {
      throw new FuncError(
        "bad-argument",
        `funcd cannot listen on ${host}:${port} (${code})`,
        "Choose another address with --listen HOST:PORT.",
      );
    }
    throw error;
  }
}

function codeOfCause(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}

function equal(a: MinionConfiguration, b: Partial<MinionConfiguration>): boolean {
  return (
    a.name === b.name &&
    a.announce === b.announce &&
    a.listen.host === b.listen?.host &&
    a.listen.port === b.listen.port
  );
}

/** Who listens on one address only can be reached by no other, whatever address the enrolment comes from. */
function onlyAddress(host: string): string | undefined {
  return host === "0.0.0.0" || host === "::" || host === "" ? undefined : host;
}
