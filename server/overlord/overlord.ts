import { createServer, type Server, type Socket } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { MethodDirectory } from "../calls/methodDirectory";
import { MinionCaller, peerOf } from "../calls/minionCaller";
import { SeenMinions } from "../calls/seenMinions";
import { FuncError, messageOf } from "../common/errors";
import { acquireLock, type Lock } from "../common/lockFile";
import type { Log } from "../common/log";
import { makePrivate } from "../common/privateFolder";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import type { JobStore } from "../jobs/store/storeTypes";
import { Certmaster } from "../pki/certmaster/certmaster";
import type { EnrolledMinion } from "../pki/certmaster/certmasterIssuing";
import { Triggers } from "../pki/certmaster/triggers";
import {
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
  type ClientHello,
  type OverlordHello,
} from "../protocol/overlord";
import { GroupsFile } from "../targets/groupsFile";
import type { Inventory } from "../targets/inventory";
import { CaRotation } from "./caRotation";
import { ChangeNews } from "./changeNews";
import type { ClientFeed } from "./clientFeed";
import { ClientSession } from "./clientSession";
import { tellOfData } from "./dataNews";
import type { OverlordConfiguration } from "./overlordConfiguration";
import { openEndpoint, type Endpoint } from "./endpoint";
import type { FleetCredentials } from "./fleetCredentials";
import { HelloVerifier } from "./helloVerifier";
import { IdleWatch } from "./idleWatch";
import { Renewals } from "./renewals";
import { RevocationPusher } from "./revocationPusher";
import { makeJobParts, type JobParts } from "./jobParts";
import { makeMapParts, type MapParts } from "./mapParts";
import { minionRecord } from "./minionRecord";
import { OutputFollows } from "./outputFollows";
import { OverlordAudit } from "./overlordAudit";
import { DATA_FILES, openData, type OverlordData } from "./overlordData";
import { refuseMoved } from "./movedAway";
import { OverlordService, type OverlordParts } from "./service";

/** Windows, terminals and scripts of one user. */
const MAX_CLIENTS = 500;
/** Connections that have not shown yet who they are; a new one takes the place of the oldest. */
const MAX_STRANGERS = 100;
/** The answer to the request that stops the overlord still has to leave, after its line in the audit log. */
const LAST_ANSWER_MS = 300;

export interface OverlordOptions {
  dataDirectory: string;
  version: string;
  log: Log;
  /** It does not end when it is idle: a service manager keeps it. */
  stay?: boolean;
  /** Where `store.js` and `sql-wasm.wasm` are; by default beside this program. */
  programs?: string;
}

/** A running overlord. */
export class Overlord {
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Resolves when it begins to end. */
  readonly closingBegan: Promise<void>;
  private readonly startedAtMs = Date.now();
  private readonly sessions = new Set<ClientSession>();
  private readonly configuration: OverlordConfiguration;
  private readonly inventory: Inventory;
  private readonly credentials: FleetCredentials;
  private readonly outputs: OutputFiles;
  private readonly store: JobStore;
  private readonly work: JobParts;
  private readonly groups: GroupsFile;
  private readonly methods: MethodDirectory;
  private readonly audit: OverlordAudit;
  private readonly certmaster: Certmaster;
  private readonly triggers: Triggers;
  private readonly renewals: Renewals;
  private readonly pusher: RevocationPusher;
  private readonly rotation: CaRotation;
  private readonly map: MapParts;
  private readonly certmasterNews: ChangeNews;
  private readonly service: OverlordService;
  private readonly server: Server;
  private verifier: HelloVerifier | undefined;
  private endpoint: Endpoint | undefined;
  private idle: IdleWatch | undefined;
  private closing: Promise<void> | undefined;
  private resolveEnded!: () => void;
  private resolveClosingBegan!: () => void;

  private constructor(
    private readonly options: OverlordOptions,
    private readonly lock: Lock,
    data: OverlordData,
  ) {
    const { log } = options;
    const { configuration, inventory, credentials, outputs, store } = data;
    this.configuration = configuration;
    this.inventory = inventory;
    this.credentials = credentials;
    this.outputs = outputs;
    this.store = store;
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    this.closingBegan = new Promise((resolve) => (this.resolveClosingBegan = resolve));
    this.renewals = new Renewals({
      inventory,
      authority: () => credentials.existingAuthority(),
      client: () => credentials.renewalClient(),
      knowsAuthorities: (minion) => this.pusher.knowsAuthorities(minion),
      onRenewed: async (before, after) => {
        (await credentials.wire()).rekeyed(peerOf(before), peerOf(after));
        this.certmasterNews.changed();
        const { name, keyFingerprint, certificateSerial } = after;
        const told = { name, keyFingerprint, serials: [certificateSerial] };
        this.audit.note("certmaster/renewed", told);
      },
      onFailed: () => {
        this.certmasterNews.changed();
      },
      log,
    });
    const wire = () => credentials.wire();
    this.pusher = new RevocationPusher({
      inventory,
      authority: () => credentials.existingAuthority(),
      wire,
      tellingWire: () => credentials.tellingWire(),
      connectTimeoutMs: configuration.connectTimeoutMs,
      log,
    });
    credentials.onRevoked(() => {
      this.pusher.changed();
    });
    const seen = new SeenMinions();
    const upkeeps = [this.renewals, this.pusher, seen];
    const caller = new MinionCaller(wire, inventory, log, configuration, upkeeps);
    this.methods = new MethodDirectory(caller);
    this.certmasterNews = new ChangeNews(() => {
      this.tell((feed) => {
        feed.certmasterChanged();
      });
    });
    this.audit = new OverlordAudit(join(options.dataDirectory, "audit.log"), log);
    this.triggers = new Triggers(join(options.dataDirectory, "triggers"), log);
    this.certmaster = new Certmaster({
      authority: () => credentials.authority(),
      existingAuthority: () => credentials.existingAuthority(),
      listen: configuration.certmasterListen,
      autosign: configuration.autosign,
      isListed: (name) => inventory.find(name) !== undefined,
      originalHttp: configuration.originalHttp,
      triggers: this.triggers,
      log,
      onEnrolled: (minion) => this.enrolled(minion),
      onChanged: () => {
        this.certmasterNews.changed();
      },
      onRefused: (refusal) => {
        this.audit.refused(refusal);
      },
    });
    this.rotation = new CaRotation({
      inventory,
      credentials,
      certmaster: this.certmaster,
      pusher: this.pusher,
      renewals: this.renewals,
      changed: () => {
        this.certmasterNews.changed();
      },
      log,
    });
    this.groups = new GroupsFile(join(options.dataDirectory, "groups"));
    const { dataDirectory } = options;
    this.map = makeMapParts({
      ...data,
      dataDirectory,
      caller,
      note: this.audit.note.bind(this.audit),
      log,
    });
    this.work = makeJobParts({
      ...data,
      dataDirectory,
      maps: this.map.maps,
      caller,
      seen,
      methods: this.methods,
      tell: this.tell.bind(this),
      onResumed: this.audit.follow.bind(this.audit),
      log,
    });
    this.service = new OverlordService(this.parts(caller));
    this.server = createServer((socket) => {
      this.accept(socket);
    });
    this.server.maxConnections = MAX_CLIENTS + MAX_STRANGERS;
    tellOfData({ inventory, groups: this.groups, maps: this.map.maps }, this.tell.bind(this));
  }

  /**
   * Starts the overlord of a data directory; undefined where one runs there already. Throws FuncError
   * naming the file that is in the way.
   */
  static async start(options: OverlordOptions): Promise<Overlord | undefined> {
    const { dataDirectory, log, programs = __dirname } = options;
    await makePrivate(dataDirectory, DATA_FILES, "Set FUNC_HOME to a folder of your own.");
    const lock = await acquireLock(join(dataDirectory, "lock"), "the overlord");
    if (!lock) return undefined;
    try {
      await refuseMoved(dataDirectory);
      const overlord = new Overlord(options, lock, await openData(dataDirectory, log, programs));
      await overlord.open().catch((error: unknown) => {
        overlord.server.close();
        throw error;
      });
      return overlord;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Ends it in order: no new clients, then what is under way, then its traces in the data directory. */
  async close(why: string): Promise<void> {
    this.closing ??= this.closeOnce(why);
    await this.closing;
  }

  private async open(): Promise<void> {
    const { dataDirectory, version, log } = this.options;
    // before the first client, who is to find them running
    await this.work.runner.resume();
    this.endpoint = await openEndpoint(dataDirectory, this.server, version, (secret) => {
      this.verifier = new HelloVerifier(secret);
    });
    this.server.on("error", (error) => {
      log.error("the overlord's socket failed", { problem: messageOf(error) });
      void this.close("its socket failed");
    });
    this.idle = new IdleWatch({
      idleMs: this.options.stay ? Infinity : this.configuration.idleMs,
      isBusy: () => this.isBusy(),
      ownsData: () => this.lock.isHeld(),
      end: (why) => void this.close(why),
    });
    await this.certmaster.open();
    this.renewals.start();
    this.pusher.start();
    this.rotation.resume();
    this.work.runner.begin();
    this.map.mapSchedule.start();
    log.info("overlord started", { version, minions: this.inventory.size });
  }

  private async closeOnce(why: string): Promise<void> {
    const { log } = this.options;
    log.info("overlord ends", { why });
    this.resolveClosingBegan();
    this.idle?.dispose();
    this.server.close();
    // the lock goes last: until then a client that comes now waits for the next overlord
    const steps = [
      async () => this.endpoint?.remove(),
      () => this.map.mapSchedule.close(),
      () => this.work.runner.close(),
      async () => this.renewals.close(),
      async () => this.rotation.close(),
      async () => this.pusher.close(),
      () => this.certmaster.close(),
      async () => this.certmasterNews.dispose(),
      () => this.credentials.close(),
      () => this.inventory.close(),
      () => this.outputs.close(),
      () => this.store.close(),
      () => this.audit.close(),
      () => this.lock.release(),
    ];
    for (const session of [...this.sessions]) session.end();
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        log.error("the overlord could not end in order", { problem: messageOf(error) });
      }
    }
    this.resolveEnded();
  }

  private isBusy(): boolean {
    return (
      this.sessions.size > 0 ||
      this.work.jobs.running().length > 0 ||
      this.work.runner.isBusy ||
      this.certmaster.isActive() ||
      this.pusher.isTrying() ||
      this.map.mapSchedule.isOn
    );
  }

  private accept(socket: Socket): void {
    if (!this.verifier || this.closing) {
      socket.destroy();
      return;
    }
    const strangers = [...this.sessions].filter(({ isWelcome }) => !isWelcome);
    if (strangers.length >= MAX_STRANGERS) strangers[0]?.end();
    const context = {
      service: this.service,
      welcome: (params: unknown) => this.welcome(params),
      log: this.options.log,
    };
    const session = new ClientSession(socket, context, () => {
      this.sessions.delete(session);
      this.idle?.touch();
    });
    this.sessions.add(session);
    this.idle?.touch();
  }

  private welcome(params: unknown): { hello: ClientHello; answer: object } {
    const { verifier } = this;
    if (!verifier) throw new FuncError("unavailable", "The overlord is just starting.");
    const hello = verifier.verify(params);
    const { version, dataDirectory } = this.options;
    const overlord: OverlordHello = {
      protocolMajor: PROTOCOL_MAJOR,
      protocolMinor: PROTOCOL_MINOR,
      version,
      pid: process.pid,
      host: hostname(),
      dataDirectory,
      proof: verifier.answer(hello),
    };
    const serverInfo = { name: "Func overlord", version };
    return { hello, answer: { capabilities: {}, serverInfo, overlord } };
  }

  /** By a token, by autosign, or by an approval. */
  private async enrolled(minion: EnrolledMinion): Promise<void> {
    await this.addMinion(minion);
    const { name, address, port, record } = minion;
    const { keyFingerprint, serial } = record;
    const told = { name, address, port, keyFingerprint, serials: [serial] };
    this.audit.note("certmaster/enrolled", told);
  }

  private async addMinion(minion: EnrolledMinion): Promise<void> {
    this.methods.forget(minion.name);
    await this.inventory.add(minionRecord(minion));
  }

  /** Tells all clients. */
  private tell(change: (feed: ClientFeed) => void): void {
    for (const session of this.sessions) {
      if (session.isWelcome) change(session.feed);
    }
  }

  private parts(caller: MinionCaller): OverlordParts {
    const { configuration, inventory, credentials, certmaster, outputs, methods } = this;
    const { version, dataDirectory } = this.options;
    return {
      version,
      dataDirectory,
      caller,
      startedAtMs: this.startedAtMs,
      configuration,
      inventory,
      groups: this.groups,
      credentials,
      certmaster,
      triggers: this.triggers,
      ...this.work,
      store: this.store,
      outputs,
      follows: OutputFollows.of(caller, outputs, inventory),
      methods,
      audit: this.audit,
      renewals: this.renewals,
      pusher: this.pusher,
      rotation: this.rotation,
      ...this.map,
      certmasterChanged: () => {
        this.certmasterNews.changed();
      },
      clients: () => [...this.sessions].filter(({ isWelcome }) => isWelcome).length,
      addMinion: (minion) => this.addMinion(minion),
      stop: () => {
        setTimeout(() => void this.close("asked to"), LAST_ANSWER_MS);
      },
    };
  }
}
