import { FuncError } from "../../common/errors";
import { sourceOf } from "./sourceAddress";

const MAX_WAITING = 1000;
const MAX_PER_SOURCE = 20;
const MAX_AGE_MS = 24 * 60 * 60 * 1000;
const DENIED_MS = 60 * 60 * 1000;
const MAX_DENIED = 10_000;

/** A host that asks for a certificate. */
export interface HostRequest {
  name: string;
  /** hex SHA-256 of the public key. */
  keyFingerprint: string;
  /** PEM. */
  csr: string;
  /** Where the request came from, without a port. */
  from: string;
  /** Where the host is reached, as it says itself, else where the request came from. */
  address: string;
  port: number;
  /** It came over plain HTTP. */
  unprotected?: true;
}

export interface WaitingEntry extends HostRequest {
  sinceMs: number;
}

/**
 * The requests that wait for an operator, in memory only: a host asks again, also after a restart of the
 * overlord. At most 1,000, 20 from one source (`sourceOf`), each for 24 hours. One name may wait with several
 * keys, none of which displaces another. Moments are milliseconds since 1970, given by the caller.
 */
export class WaitingRequests {
  private readonly waiting = new Map<string, WaitingEntry>();
  /** Key fingerprints to when they may ask again. */
  private readonly denied = new Map<string, number>();

  /** Throws FuncError "unavailable" where there is no room for one more from there. */
  checkRoom(from: string, nowMs: number): void {
    this.expire(nowMs);
    if (this.waiting.size >= MAX_WAITING) throw full("There are too many requests waiting.");
    const source = sourceOf(from);
    const alike = [...this.waiting.values()].filter((entry) => sourceOf(entry.from) === source);
    if (alike.length >= MAX_PER_SOURCE) {
      throw full(`Too many requests from ${source} are waiting.`);
    }
  }

  /** Takes it in. Throws FuncError as `checkRoom`. */
  add(request: HostRequest, nowMs: number): void {
    this.checkRoom(request.from, nowMs);
    this.waiting.set(keyOf(request), { ...request, sinceMs: nowMs });
  }

  /** What waits for this name and key. */
  find(wanted: Pick<HostRequest, "name" | "keyFingerprint">): WaitingEntry | undefined {
    return this.waiting.get(keyOf(wanted));
  }

  /** The host asked again: where it is reached may be new, and nothing else. */
  refresh(request: HostRequest): void {
    const entry = this.find(request);
    if (entry === undefined || entry.unprotected !== request.unprotected) return;
    entry.address = request.address;
    entry.port = request.port;
  }

  remove(wanted: Pick<HostRequest, "name" | "keyFingerprint">): void {
    this.waiting.delete(keyOf(wanted));
  }

  /** The oldest first. */
  list(nowMs: number): WaitingEntry[] {
    this.expire(nowMs);
    return [...this.waiting.values()];
  }

  /** When the next one is dropped for its age; undefined where none waits. */
  nextExpiryMs(): number | undefined {
    const [oldest] = this.waiting.values();
    return oldest && oldest.sinceMs + MAX_AGE_MS;
  }

  /** The key is not to ask again for an hour; whatever waits with it goes. */
  deny(keyFingerprint: string, nowMs: number): void {
    for (const [key, entry] of this.waiting) {
      if (entry.keyFingerprint === keyFingerprint) this.waiting.delete(key);
    }
    this.denied.delete(keyFingerprint);
    this.denied.set(keyFingerprint, nowMs + DENIED_MS);
    for (const oldest of this.denied.keys()) {
      if (this.denied.size <= MAX_DENIED) break;
      this.denied.delete(oldest);
    }
  }

  /** Until when the key is denied; undefined where it is not. */
  deniedUntilMs(keyFingerprint: string, nowMs: number): number | undefined {
    const untilMs = this.denied.get(keyFingerprint);
    return untilMs !== undefined && untilMs > nowMs ? untilMs : undefined;
  }

  private expire(nowMs: number): void {
    for (const [key, { sinceMs }] of this.waiting) {
      if (sinceMs + MAX_AGE_MS <= nowMs) this.waiting.delete(key);
    }
    for (const [key, untilMs] of this.denied) {
      if (untilMs <= nowMs) this.denied.delete(key);
    }
  }
}

function keyOf({ name, keyFingerprint }: Pick<HostRequest, "name" | "keyFingerprint">): string {
  return `${keyFingerprint} ${name}`;
}

function full(what: string): FuncError {
  return new FuncError(
    "unavailable",
    what,
    "Try again once the operator of the overlord has approved or denied some.",
  );
}
