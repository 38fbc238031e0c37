import { EventEmitter, window, type Disposable, type LogOutputChannel } from "vscode";
import type { OverlordConnection, RequestOptions } from "../server/client/connection";
import { FuncError } from "../server/common/errors";
import type { JobOutput, JobProgress, JobsChanged } from "../server/protocol/jobs";
import type { MinionsChanged } from "../server/protocol/minions";
import type { OverlordHello } from "../server/protocol/overlord";
import type { OverlordRequests } from "../server/protocol/requests";
import { asFuncError } from "./errors";
import { RestartPolicy } from "./restartPolicy";
import { overlordHome } from "./settings";

export type SessionState =
  | { kind: "idle" }
  | { kind: "connecting" }
  | { kind: "connected"; hello: OverlordHello }
  | { kind: "failed"; error: FuncError };

/** Owns this window's connection to the overlord: made on first use, made again when it is lost. */
export class OverlordSession implements Disposable {
  private readonly stateEmitter = new EventEmitter<SessionState>();
  private readonly restartEmitter = new EventEmitter<{ unexpected: boolean }>();
  private readonly minionsEmitter = new EventEmitter<MinionsChanged>();
  private readonly groupsEmitter = new EventEmitter<void>();
  private readonly mapEmitter = new EventEmitter<void>();
  private readonly certificatesEmitter = new EventEmitter<void>();
  private readonly progressEmitter = new EventEmitter<JobProgress>();
  private readonly jobsEmitter = new EventEmitter<JobsChanged>();
  private readonly outputEmitter = new EventEmitter<JobOutput>();
  readonly onDidChangeState = this.stateEmitter.event;
  /** Connected anew: `unexpected` after the overlord was lost. It knows its jobs, but not who watched them. */
  readonly onDidRestart = this.restartEmitter.event;
  readonly onMinionsChanged = this.minionsEmitter.event;
  /** Some client, perhaps this one, changed them; see "groups/changed". */
  readonly onGroupsChanged = this.groupsEmitter.event;
  /** There is a new delegation map. */
  readonly onMapChanged = this.mapEmitter.event;
  /** Something that `certmaster/list` tells is different. */
  readonly onCertificatesChanged = this.certificatesEmitter.event;
  readonly onJobProgress = this.progressEmitter.event;
  /** Any jobs; only once this window has asked for `jobs/list`. */
  readonly onJobsChanged = this.jobsEmitter.event;
  /** Of jobs that this window follows. */
  readonly onJobOutput = this.outputEmitter.event;

  private current: SessionState = { kind: "idle" };
  private connecting: Promise<OverlordConnection> | undefined;
  private connected: OverlordConnection | undefined;
  private channel: LogOutputChannel | undefined;
  private readonly policy = new RestartPolicy();
  private ending = new AbortController();

  /** `script`: path of dist/overlord.js. */
  constructor(
    private readonly script: string,
    private readonly log: LogOutputChannel,
  ) {}

  get state(): SessionState {
    return this.current;
  }

  /** The connection, made on first use. Throws FuncError where the overlord cannot be reached. */
  connection(): Promise<OverlordConnection> {
    if (this.connected) return Promise.resolve(this.connected);
    if (this.connecting) return this.connecting;
    const connecting = this.connect().finally(() => {
      if (this.connecting === connecting) this.connecting = undefined;
    });
    this.connecting = connecting;
    return connecting;
  }

  /** Sends a request over the connection, which is made on first use. Throws FuncError. */
  async request<M extends keyof OverlordRequests>(
    method: M,
    params: OverlordRequests[M]["params"],
    options?: RequestOptions,
  ): Promise<OverlordRequests[M]["result"]> {
    const connection = await this.connection();
    try {
      return await connection.request(method, params, options);
    } catch (error) {
      const failure = asFuncError(error);
      this.log.debug(`${method}: ${failure.reason}: ${failure.message}`);
      throw failure;
    }
  }

  /** Connects anew, to another data directory perhaps, after a failure or a changed setting. */
  async reconnect(): Promise<void> {
    this.policy.reset();
    this.close();
    this.ending = new AbortController();
    this.setState({ kind: "idle" });
    await this.connection();
    this.restartEmitter.fire({ unexpected: false });
  }

  dispose(): void {
    this.close();
    this.channel?.dispose();
    for (const emitter of [
      this.stateEmitter,
      this.restartEmitter,
      this.minionsEmitter,
      this.groupsEmitter,
      this.mapEmitter,
      this.certificatesEmitter,
      this.progressEmitter,
      this.jobsEmitter,
      this.outputEmitter,
    ]) {
      emitter.dispose();
    }
  }

  private close(): void {
    this.ending.abort();
    this.connecting = undefined;
    const connection = this.connected;
    this.connected = undefined;
    connection?.dispose();
  }

  private async connect(): Promise<OverlordConnection> {
    const { signal } = this.ending;
    this.setState({ kind: "connecting" });
    try {
      // heavy (vscode-languageclient): loaded when it is needed, not when VS Code starts
      const { connectOverlordClient } = await import("./overlordClient.js");
      this.channel ??= window.createOutputChannel("Func Overlord", { log: true });
      const connection = await connectOverlordClient({
        dataDirectory: overlordHome(),
        script: this.script,
        log: this.channel,
        signal,
      });
      if (signal.aborted) {
        connection.dispose();
        throw new FuncError("cancelled", "Connecting to the overlord was cancelled.");
      }
      this.adopt(connection);
      return connection;
    } catch (error) {
      const failure = asFuncError(error);
      this.log.error(failure.message);
      if (!signal.aborted) this.setState({ kind: "failed", error: failure });
      throw failure;
    }
  }

  private adopt(connection: OverlordConnection): void {
    const { hello } = connection;
    this.log.info(
      `Connected to overlord ${hello.version} (pid ${hello.pid}) of ${hello.dataDirectory}`,
    );
    this.connected = connection;
    connection.on("minions/changed", (changes) => {
      this.minionsEmitter.fire(changes);
    });
    connection.on("groups/changed", () => {
      this.groupsEmitter.fire();
    });
    connection.on("map/changed", () => {
      this.mapEmitter.fire();
    });
    connection.on("certmaster/changed", () => {
      this.certificatesEmitter.fire();
    });
    connection.on("jobs/progress", (progress) => {
      this.progressEmitter.fire(progress);
    });
    connection.on("jobs/changed", (changes) => {
      this.jobsEmitter.fire(changes);
    });
    connection.on("jobs/output", (output) => {
      this.outputEmitter.fire(output);
    });
    connection.onClose(() => {
      if (this.connected !== connection) return;
      this.connected = undefined;
      this.log.warn("The overlord closed the connection");
      void this.restart();
    });
    this.setState({ kind: "connected", hello });
  }

  private async restart(): Promise<void> {
    const delayMs = this.policy.next(performance.now());
    if (delayMs === undefined) {
      const error = new FuncError(
        "unavailable",
        "The Func overlord keeps stopping and was not started again.",
        "Look into its log, then retry.",
      );
      this.log.error(error.message);
      this.setState({ kind: "failed", error });
      return;
    }
    const { signal } = this.ending;
    this.setState({ kind: "connecting" });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (signal.aborted) return;
    try {
      await this.connection();
      this.restartEmitter.fire({ unexpected: true });
    } catch {
      // connect() has said so by the state
    }
  }

  private setState(state: SessionState): void {
    this.current = state;
    this.stateEmitter.fire(state);
  }
}
