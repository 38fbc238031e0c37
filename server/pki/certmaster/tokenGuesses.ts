import { FuncError } from "../../common/errors";
import { sourceOf } from "./sourceAddress";

const SPAN_MS = 10 * 60 * 1000;
const MAX_PER_SOURCE = 20;
const MAX_OVERALL = 500;

/**
 * Counts wrong tokens: after 20 from one source, or 500 in all, tokens are not even looked at for the rest of
 * ten minutes. Moments are milliseconds since 1970, given by the caller.
 */
export class TokenGuesses {
  private readonly bySource = new Map<string, number>();
  private overall = 0;
  private endsMs = 0;

  /** Throws FuncError "unavailable" where that source has to wait. */
  check(from: string, nowMs: number): void {
    if (nowMs >= this.endsMs) return;
    const source = sourceOf(from);
    const mine = (this.bySource.get(source) ?? 0) >= MAX_PER_SOURCE;
    if (!mine && this.overall < MAX_OVERALL) return;
    const minutes = Math.ceil((this.endsMs - nowMs) / 60_000);
    throw new FuncError(
      "unavailable",
      `There were too many wrong join tokens${mine ? ` from ${source}` : ""}: none is looked at for ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`,
      "Try again then.",
    );
  }

  /** A token from there was wrong. */
  count(from: string, nowMs: number): void {
    if (nowMs >= this.endsMs) {
      this.bySource.clear();
      this.overall = 0;
      this.endsMs = nowMs + SPAN_MS;
    }
    const source = sourceOf(from);
    this.bySource.set(source, (this.bySource.get(source) ?? 0) + 1); // at most MAX_OVERALL sources
    this.overall += 1;
  }
}
