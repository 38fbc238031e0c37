import { bundledOverlord } from "../client/bundledOverlord";
import { KeptConnection } from "../client/keptConnection";
import { FuncError, messageOf } from "../common/errors";
import { NO_OVERLORD, remoteTypeOf } from "../calls/overlordErrors";
import type { OverlordRequests } from "../protocol/requests";
import type { SubOverlordPlace } from "./configuration";
import { FUNC_EXCEPTION, MethodError } from "./methodError";
import { checkRequest } from "./requestBounds";
import type { SubOverlordPlaces } from "./subOverlordPlaces";

declare const __VERSION__: string;

/** For requests without a limit of their own. */
const REQUEST_TIMEOUT_MS = 60_000;
/** A connection that nobody uses would keep the overlord from ending when it is idle. */
const IDLE_MS = 120_000;

const NOWHERE = { current: () => Promise.resolve(undefined) };

/** What funcd may ask the overlord of its own host. */
export type SubOverlordRequest = Extract<keyof OverlordRequests, `delegation/${string}`>;

/** Until when a request may take. */
export interface RequestBounds {
  signal: AbortSignal;
  /** 60 s without. */
  timeoutMs?: number;
}

/** The way from funcd to the overlord of its own host, where minion.yaml names one. It is started where none runs. */
export class SubOverlord {
  #kept: KeptConnection | undefined;
  #idle: NodeJS.Timeout | undefined;
  #underWay = 0;
  #closed = false;

  /** Whose the kept connection is. */
  #home: string | undefined;

  constructor(private readonly places: Pick<SubOverlordPlaces, "current"> = NOWHERE) {}

  /**
   * Sends a request. Throws MethodError: NO_OVERLORD where this host has none, VALUE_ERROR where it is larger than
   * what an overlord takes, and what the overlord answers under its reason (`remoteTypeOf`) with its message and next step.
   */
  async request<M extends SubOverlordRequest>(
    method: M,
    params: OverlordRequests[M]["params"],
    { signal, timeoutMs = REQUEST_TIMEOUT_MS }: RequestBounds,
  ): Promise<OverlordRequests[M]["result"]> {
    const connection = this.#connection(await this.places.current());
    checkRequest(method, params);
    clearTimeout(this.#idle);
    this.#underWay++;
    // for connecting, and repeats on another connection, as well
    const time = AbortSignal.timeout(timeoutMs);
    try {
      const end = AbortSignal.any([signal, time]);
      return await connection.request(method, params, { signal: end, timeoutMs });
    } catch (error) {
      throw asMethodError(time.aborted && !signal.aborted ? tooLate(timeoutMs) : error);
    } finally {
      if (--this.#underWay === 0) this.#restLater(connection);
    }
  }

  /** Ends the connection; the overlord goes on. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#kept?.close();
  }

  #connection(place: SubOverlordPlace | undefined): KeptConnection {
    if (!place) {
      throw new MethodError(
        NO_OVERLORD,
        "this host has no overlord of its own: its minion.yaml names no sub_overlord",
      );
    }
    if (this.#closed) throw new MethodError(FUNC_EXCEPTION, "funcd ends");
    if (this.#home !== place.home) this.#leaveKept();
    this.#home = place.home;
    return (this.#kept ??= new KeptConnection({
      dataDirectory: place.home,
      kind: "funcd",
      version: __VERSION__,
      launch: bundledOverlord(),
    }));
  }

  /** What is under way over it has time to end. */
  #leaveKept(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept) setTimeout(() => kept.close(), IDLE_MS).unref();
  }

  #restLater(connection: KeptConnection): void {
    if (this.#closed) return;
    this.#idle = setTimeout(() => {
      if (this.#kept === connection) this.#kept = undefined;
      connection.close();
    }, IDLE_MS).unref();
  }
}

function tooLate(timeoutMs: number): FuncError {
  const message = `The overlord of this host did not answer in ${timeoutMs / 1_000} seconds.`;
  return new FuncError("timed-out", message);
}

function asMethodError(error: unknown): MethodError {
  if (!(error instanceof FuncError)) return new MethodError(FUNC_EXCEPTION, messageOf(error));
  const { reason, message, nextStep } = error;
  const text = nextStep === undefined ? message : `${message} ${nextStep}`;
  return new MethodError(remoteTypeOf(reason), text);
}
