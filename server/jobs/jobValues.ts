import type { JobEntry } from "./jobEntry";
import { digestOfError } from "./resultDigest";
import { keptAsItIs, type KeptValue } from "./valueKeeper";

/** The values of one job: equal ones are one object. */
export class JobValues {
  /** About what values and errors take in memory. */
  bytes = 0;
  private readonly byDigest = new Map<string, KeptValue>();

  /** Adds to a final result what follows from it. */
  complete(entry: JobEntry, kept: KeptValue | undefined): void {
    const { result, peer } = entry;
    if (result.startedAtMs !== undefined) result.durationMs = Date.now() - result.startedAtMs;
    if (result.value === undefined) {
      result.digest = digestOfError(result.state, result.error, peer);
      this.bytes += (result.error?.message.length ?? 0) + (result.error?.trace.length ?? 0);
      return;
    }
    const { value, digest, jsonBytes, outputs } = this.share(kept ?? keptAsItIs(result.value));
    Object.assign(result, { value, digest });
    entry.valueBytes = jsonBytes;
    entry.outputs = outputs;
  }

  private share(kept: KeptValue): KeptValue {
    const known = this.byDigest.get(kept.digest);
    if (known) return known;
    this.byDigest.set(kept.digest, kept);
    this.bytes += kept.memoryBytes;
    return kept;
  }
}
