import { resolve } from "node:path";
import { bundledOverlord } from "../client/bundledOverlord";
import { connectOverlord, type OverlordConnection } from "../client/connection";
import { dataDirectory } from "../client/dataDirectory";
import { KeptConnection } from "../client/keptConnection";
import type { OverlordTarget } from "../client/stopOverlord";
import type { TargetParams } from "../protocol/requests";
import type { Output } from "./output";
import type { GlobalOptions } from "./parse";

declare const __VERSION__: string;

/** Signals that ask func to end. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

/** What a command works with: its options, its output and the way to the overlord. */
export class Session {
  /** Exit status for an error that ends the command, where it is not the error's own. */
  failureStatus: number | undefined;
  #overlord: KeptConnection | undefined;
  /** To one that was running already. */
  #running: OverlordConnection | undefined;
  #interrupt: ((signal: EndSignal) => boolean | undefined) | undefined;

  constructor(
    readonly options: GlobalOptions,
    readonly out: Output,
  ) {}

  /** Which overlord, and how to start it. */
  get target(): OverlordTarget {
    const { home } = this.options;
    return {
      dataDirectory: home === undefined ? dataDirectory() : resolve(home),
      kind: "cli",
      version: __VERSION__,
      launch: bundledOverlord(),
    };
  }

  /** Connects; starts an overlord where none runs, unless `start` is false (FuncError "not-found"). */
  async connect(start = true): Promise<OverlordConnection> {
    if (start || this.#overlord?.isOpen) return this.overlord.connection();
    return (this.#running ??= await connectOverlord({ ...this.target, start }));
  }

  /** The way to the overlord over its restarts; it is started where none runs. */
  get overlord(): KeptConnection {
    if (!this.#overlord) {
      this.#overlord = new KeptConnection(this.target);
      // a command ends by itself, not for want of something to do
      this.#overlord.hold();
    }
    return this.#overlord;
  }

  /** `spec` with what the options leave out of it, or add. */
  targets(spec: string): TargetParams {
    const { exclude, delegate, mapFile } = this.options;
    return {
      spec,
      ...(exclude !== undefined && { exclude }),
      ...(delegate && { delegate }),
      ...(mapFile !== undefined && { mapFile }),
    };
  }

  /** What the first signal does instead of ending func, or before where it returns false; undefined: it ends func. */
  onInterrupt(handler: ((signal: EndSignal) => boolean | undefined) | undefined): void {
    this.#interrupt = handler;
  }

  /** Runs the handler of the first signal, once; false where func is to end. */
  interrupt(signal: EndSignal): boolean {
    const handler = this.#interrupt;
    this.#interrupt = undefined;
    return handler !== undefined && handler(signal) !== false;
  }

  close(): void {
    this.#overlord?.close();
    this.#running?.dispose();
  }
}
