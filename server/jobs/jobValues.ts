import type { JobEntry } from "./jobEntry";
import { digestOfError } from "./resultDigest";
import { keptAsItIs, type KeptValue } from "./outputs/valueKeeper";

type SharedValue = Pick<KeptValue, "value" | "digest" | "jsonBytes" | "outputs">;

/** The values of one job: equal ones are one object. */
export class JobValues {
  /** About what values and errors take in memory. */
  bytes = 0;
  private readonly byDigest = new Map<string, SharedValue>();

  /** Adds to a final result what follows from it. */
  complete(entry: JobEntry, kept: KeptValue | undefined): void {
    const { result, peer } = entry;
    if (result.startedAtMs !== undefined) {
      result.durationMs = Math.max(0, Date.now() - result.startedAtMs);
    }
    if (result.value === undefined) {
      result.digest = digestOfError(result.state, result.error, peer);
      this.addError(entry);
      return;
    }
    const whole = kept ?? keptAsItIs(result.value);
    const { value, digest, jsonBytes, outputs } = this.share(whole, whole.memoryBytes);
    Object.assign(result, { value, digest });
    entry.valueBytes = jsonBytes;
    entry.outputs = outputs;
  }

  /** Takes a result of the store, which is complete. */
  restore(entry: JobEntry): JobEntry {
    const { result, valueBytes: jsonBytes, outputs } = entry;
    const { value, digest } = result;
    if (value === undefined || digest === undefined) {
      this.addError(entry);
      return entry;
    }
    const shared = this.share({ value, digest, jsonBytes, outputs }, jsonBytes);
    return { ...entry, result: { ...result, value: shared.value } };
  }

  private share(kept: SharedValue, memoryBytes: number): SharedValue {
    const known = this.byDigest.get(kept.digest);
    if (known) return known;
    this.byDigest.set(kept.digest, kept);
    this.bytes += memoryBytes;
    return kept;
  }

  private addError({ result: { error } }: JobEntry): void {
    this.bytes += (error?.message.length ?? 0) + (error?.trace.length ?? 0);
  }
}
