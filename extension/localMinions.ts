import { join } from "node:path";
import { commands } from "vscode";
import type { LocalFleet } from "../server/client/localFleet";
import { FuncError } from "../server/common/errors";
import type { OverlordSession } from "./overlordSession";

/** How many minions "Try it" starts on this machine. */
export const LOCAL_MINIONS = 3;

/** The minions of this machine that one can try Func with; they end with this window. */
export class LocalMinions {
  private fleet: LocalFleet | undefined;
  private starting = false;

  /** `funcdScript`: path of dist/funcd.js. */
  constructor(
    private readonly session: OverlordSession,
    private readonly funcdScript: string,
  ) {}

  get names(): readonly string[] {
    return this.fleet?.names ?? [];
  }

  /** Starts them; resolves when all answer. Throws FuncError. */
  async start(signal: AbortSignal, onProgress: (message: string) => void): Promise<void> {
    if (this.fleet) return;
    if (this.starting) {
      throw new FuncError("conflict", "The local minions are being started already.");
    }
    this.starting = true;
    try {
      const { startLocalFleet } = await import("../server/client/localFleet");
      const connection = await this.session.connection();
      this.fleet = await startLocalFleet({
        connection,
        size: LOCAL_MINIONS,
        home: join(connection.hello.dataDirectory, "try"),
        funcdScript: this.funcdScript,
        execPath: process.execPath,
        env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
        namePrefix: "try-",
        signal,
        onProgress,
      });
      await this.setContext(true);
    } finally {
      this.starting = false;
    }
  }

  /** Stops them; they stay in the list, and a later start uses them again. */
  async stop(): Promise<void> {
    const fleet = this.fleet;
    this.fleet = undefined;
    // not awaited: a window that closes takes it no longer, and the minions must end all the same
    this.setContext(false).catch(() => undefined);
    await fleet?.close();
  }

  private async setContext(running: boolean): Promise<void> {
    await commands.executeCommand("setContext", "func.localMinions", running);
  }
}
