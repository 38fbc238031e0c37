import { FuncError } from "../common/errors";
import type { OverlordRequests } from "../protocol/requests";
import {
  connectOverlord,
  type OverlordConnection,
  type OwnConnection,
  type RequestOptions,
  type Subscription,
} from "./connection";
import type { OverlordOptions } from "./endpoint";
import { isUnavailable } from "./responseError";

/** Gives a connection that is open; a new one where the last has closed. */
export interface ConnectionSource {
  /** Throws as `connectOverlord` does, "cancelled" by the signal. */
  connection(signal?: AbortSignal): Promise<OverlordConnection>;
}

/** How often a request is sent again whose connection closed before its answer. */
const MAX_SENDS = 3;

/** Requests that change nothing, or nothing more when they come twice. */
const REPEATABLE: ReadonlySet<keyof OverlordRequests> = new Set<keyof OverlordRequests>([
  "overlord/status",
  "minions/list",
  "minions/match",
  "minions/describe",
  "groups/list",
  "jobs/list",
  "jobs/call",
  "jobs/history",
  "jobs/attempts",
  "jobs/searchAll",
  "jobs/results",
  "jobs/status",
  "jobs/result",
  "jobs/search",
  "jobs/cancel",
  "outputs/read",
  "delegation/start",
  "delegation/collect",
  "delegation/cancel",
  "delegation/skipRest",
  "delegation/readOutput",
  "delegation/readValue",
]);

/**
 * The way to one overlord over its restarts: connects on first use, and again where the connection was lost, which
 * starts an overlord where none runs. While nothing is asked it keeps no process alive.
 */
export class KeptConnection implements ConnectionSource {
  readonly #closing = new AbortController();
  #connecting: Promise<OwnConnection> | undefined;
  #connected: OwnConnection | undefined;
  #holds = 0;

  constructor(private readonly options: Omit<OverlordOptions, "signal">) {}

  /** Whether there is a connection now. */
  get isOpen(): boolean {
    return this.#connected?.closed === false;
  }

  async connection(signal?: AbortSignal): Promise<OwnConnection> {
    if (this.#closing.signal.aborted) throw closed();
    if (signal?.aborted) throw cancelled();
    if (this.#connected && !this.#connected.closed) return this.#connected;
    this.#connecting ??= this.#connect();
    return unlessAborted(this.#connecting, signal);
  }

  /**
   * Sends a request. One that only looks is sent again where the overlord went away before it had answered.
   * Throws as `OverlordConnection.request` and `connectOverlord` do.
   */
  async request<M extends keyof OverlordRequests>(
    method: M,
    params: OverlordRequests[M]["params"],
    options: RequestOptions = {},
  ): Promise<OverlordRequests[M]["result"]> {
    const hold = this.hold();
    try {
      for (let sends = 1; ; sends++) {
        const connection = await this.connection(options.signal);
        try {
          return await connection.request(method, params, options);
        } catch (error) {
          const again = connection.closed && REPEATABLE.has(method) && sends < MAX_SENDS;
          if (!again || !isUnavailable(error)) throw error;
        }
      }
    } finally {
      hold.dispose();
    }
  }

  /** Keeps this process alive until the hold is disposed of. */
  hold(): Subscription {
    if (this.#holds++ === 0) this.#connected?.keepAlive(true);
    let held = true;
    return {
      dispose: () => {
        if (held && --this.#holds === 0) this.#connected?.keepAlive(false);
        held = false;
      },
    };
  }

  /** Closes the connection for good; the overlord goes on. */
  close(): void {
    this.#closing.abort();
    this.#connected?.dispose();
  }

  async #connect(): Promise<OwnConnection> {
    try {
      const connection = await connectOverlord({
        ...this.options,
        signal: this.#closing.signal,
      });
      if (this.#closing.signal.aborted) {
        connection.dispose();
        throw closed();
      }
      connection.keepAlive(this.#holds > 0);
      return (this.#connected = connection);
    } finally {
      this.#connecting = undefined;
    }
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => {
      reject(cancelled());
    };
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function cancelled(): FuncError {
  return new FuncError("cancelled", "Connecting to the overlord was cancelled.");
}

function closed(): FuncError {
  return new FuncError("unavailable", "The connection to the overlord was closed by this program.");
}
