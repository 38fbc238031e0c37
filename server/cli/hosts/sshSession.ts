import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SshDestination } from "./destination";
import { sshFailure } from "./sshFailure";
import { runSsh, type SshRun, type SshRunOptions } from "./sshProcess";

export interface SshSettings {
  destination: SshDestination;
  /** KEY=VALUE each, as for ssh -o. */
  options: readonly string[];
  identity?: string;
}

/** What ssh makes of a destination. */
export interface ResolvedHost {
  hostname: string;
  user?: string;
}

/** A path of a socket has some 100 characters, and ssh needs some of them for itself. */
const MAX_SOCKET_FOLDER = 60;
const SSH_FAILED = 255;
const RESOLVE_TIMEOUT_MS = 15_000;
const EXIT_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_S = 20;

/**
 * One connection to a host by the system's ssh, with the user's configuration, agent and known hosts. It is kept
 * for all commands, so that a password is asked for once.
 */
export class SshSession {
  private connected = false;

  private constructor(
    readonly settings: SshSettings,
    private readonly folder: string,
  ) {}

  /** Connects with the first command. */
  static async create(settings: SshSettings): Promise<SshSession> {
    const place = tmpdir().length <= MAX_SOCKET_FOLDER ? tmpdir() : "/tmp";
    return new SshSession(settings, await mkdtemp(join(place, "func-ssh-")));
  }

  /** Host name or address, and user, that ssh would use; does not connect. */
  async resolve(signal?: AbortSignal): Promise<ResolvedHost> {
    const args = ["-G", ...this.given(), "--", this.settings.destination.text];
    const run = await runSsh(args, { timeoutMs: RESOLVE_TIMEOUT_MS, signal });
    if (run.status !== 0) throw sshFailure(this.settings, run.stderr);
    const value = (key: string): string | undefined =>
      new RegExp(`^${key} (\\S+)$`, "m").exec(run.stdout)?.[1];
    const user = value("user");
    return {
      hostname: value("hostname") ?? this.settings.destination.host,
      ...(user !== undefined && { user }),
    };
  }

  /** Runs one command line on the host. Throws FuncError where ssh itself fails. */
  async run(command: string, options: SshRunOptions): Promise<SshRun> {
    const args = [...this.fixed(), ...this.given(), "--", this.settings.destination.text, command];
    const run = await runSsh(args, options);
    if (run.status === SSH_FAILED) throw sshFailure(this.settings, run.stderr);
    this.connected = true;
    return run;
  }

  /** Ends the connection. Never throws. */
  async close(): Promise<void> {
    if (this.connected && process.platform !== "win32") {
      const args = [...this.fixed(), "-O", "exit", "--", this.settings.destination.text];
      await runSsh(args, { timeoutMs: EXIT_TIMEOUT_MS }).catch(() => undefined);
    }
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  // ssh takes the first value that it gets: these go before the user's, which go before the configuration
  private fixed(): string[] {
    const shared =
      process.platform === "win32" // whose ssh cannot share connections
        ? []
        : ["ControlMaster=auto", `ControlPath=${join(this.folder, "s")}`, "ControlPersist=60"];
    const options = [
      ...shared,
      "ForwardAgent=no",
      "ForwardX11=no",
      "ClearAllForwardings=yes",
      "PermitLocalCommand=no",
      "RemoteCommand=none",
      "RequestTTY=no",
      "LogLevel=INFO", // its words tell why it failed
      "ServerAliveInterval=10",
      "ServerAliveCountMax=3",
    ];
    return options.flatMap((option) => ["-o", option]);
  }

  private given(): string[] {
    const { options, identity } = this.settings;
    const defaults = [`ConnectTimeout=${CONNECT_TIMEOUT_S}`];
    return [
      ...[...options, ...defaults].flatMap((option) => ["-o", option]),
      ...(identity === undefined ? [] : ["-i", identity]),
    ];
  }
}
