import { formatHostPort, type HostPort } from "../../common/hostPort";
import { offeredAddresses } from "./offeredAddresses";

/** This machine's addresses are tested at most this often. */
const KEPT_MS = 60 * 1000;

/** `offeredAddresses`, which remembers this machine's own for a minute. */
export class OwnAddresses {
  private own: { fromMs: number; at: string; found: Promise<string[]> } | undefined;

  /** Those given, else this machine's own under which the listener answers. Throws FuncError "bad-argument". */
  of(at: HostPort, given: string[] | undefined): Promise<string[]> {
    if (given !== undefined && given.length > 0) return offeredAddresses(at, given);
    const now = Date.now();
    const listener = formatHostPort(at);
    if (this.own?.at === listener && now - this.own.fromMs < KEPT_MS) return this.own.found;
    const found = offeredAddresses(at, undefined);
    this.own = { fromMs: now, at: listener, found };
    return found;
  }
}
