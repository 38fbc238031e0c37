const QUIET_MS = 10 * 60_000;
const MAX_KNOWN = 2_000;

/** Tells calls that only go on with what is in the audit log already, so that they do not fill it. */
export class AuditRepeats {
  /** When each was last written, oldest first. */
  readonly #written = new Map<string, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** True where the same was written less than ten minutes ago; else it counts as written now. */
  isRepeat(keyFingerprint: string, method: string, about: string): boolean {
    const key = `${keyFingerprint} ${method} ${about}`;
    const writtenAt = this.#written.get(key);
    if (writtenAt !== undefined && this.now() - writtenAt < QUIET_MS) return true;
    this.#written.delete(key);
    this.#written.set(key, this.now());
    const [oldest] = this.#written.keys();
    if (this.#written.size > MAX_KNOWN && oldest !== undefined) this.#written.delete(oldest);
    return false;
  }
}
