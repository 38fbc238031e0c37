import { stat } from "node:fs/promises";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { readConfiguration, type SubOverlordPlace } from "./configuration";

const LOOK_EVERY_MS = 1_000;

/** Which overlord this host has, as its `minion.yaml` says now: funcd need not be started anew for it. */
export class SubOverlordPlaces {
  #signature = "";
  #lookedAtMs: number | undefined;

  constructor(
    private readonly file: string,
    /** As it was read at the start; also while the file cannot be read. */
    private place: SubOverlordPlace | undefined,
    private readonly log: Pick<Log, "warn">,
  ) {}

  /** Undefined where the file names none. Never rejects. */
  async current(): Promise<SubOverlordPlace | undefined> {
    const now = performance.now();
    if (this.#lookedAtMs !== undefined && now - this.#lookedAtMs < LOOK_EVERY_MS) return this.place;
    this.#lookedAtMs = now;
    const signature = await signatureOf(this.file);
    if (signature === this.#signature) return this.place;
    this.#signature = signature;
    try {
      this.place = (await readConfiguration(this.file)).subOverlord;
    } catch (error) {
      this.log.warn("minion.yaml cannot be read; the sub-overlord stays as it was", {
        problem: messageOf(error),
      });
    }
    return this.place;
  }
}

async function signatureOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs].join(" ");
  } catch (error) {
    return messageOf(error);
  }
}
