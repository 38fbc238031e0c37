import { stat } from "node:fs/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { MapBuilder } from "../delegation/buildMap";
import { removeHalfWritten } from "../delegation/halfWritten";

/** The first calls of a user go first. */
const FIRST_LOOK_MS = 10_000;
const LOOK_MS = 30_000;
/** After a build that failed, unless the next one is due sooner. */
const AGAIN_MS = 60 * 60_000;

/** Hosts that could not be asked which one build tells of in the log. */
const MAX_TOLD = 20;

/** When the delegation map is built without anybody asking. */
export interface MapScheduleSettings {
  /** Undefined: never. */
  everyMs?: number;
  onlyAlive: boolean;
}

interface MapScheduleParts {
  settings: MapScheduleSettings;
  builder: MapBuilder;
  /** A file that only its time counts of: when the last scheduled build began. */
  markFile: string;
  /** For the audit. */
  note: (event: string, fields: object) => void;
  log: Log;
}

/** Builds the map when it is due, also after a restart. Nobody looks at the result but the log. */
export class MapSchedule {
  private timer: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();
  private building: Promise<void> | undefined;
  private notBeforeMs = 0;

  constructor(private readonly parts: MapScheduleParts) {}

  /** True where it has to go on running for the next build. */
  get isOn(): boolean {
    return this.parts.settings.everyMs !== undefined;
  }

  start(): void {
    if (this.isOn) this.lookIn(FIRST_LOOK_MS);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.closing.abort();
    await this.building;
  }

  private lookIn(ms: number): void {
    this.timer = setTimeout(() => {
      this.building = this.look().finally(() => {
        this.building = undefined;
        if (!this.closing.signal.aborted) this.lookIn(LOOK_MS);
      });
    }, ms).unref();
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    const { everyMs } = this.parts.settings;
    const { markFile, log } = this.parts;
    if (everyMs === undefined || Date.now() < this.notBeforeMs) return;
    try {
      const last = await stat(markFile).catch(() => undefined);
      // a clock that was set back must not put it off for long
      const sinceMs = last ? Math.abs(Date.now() - last.mtimeMs) : Infinity;
      if (sinceMs < everyMs) return;
      this.notBeforeMs = Date.now() + Math.min(AGAIN_MS, everyMs);
      await this.build();
      await writeFileAtomic(markFile, "");
      await removeHalfWritten(markFile);
    } catch (error) {
      if (this.closing.signal.aborted) return;
      const nextStep = error instanceof FuncError ? error.nextStep : undefined;
      log.warn("the delegation map was not built", { problem: messageOf(error), nextStep });
    }
  }

  private async build(): Promise<void> {
    const { builder, settings, note, log } = this.parts;
    const { signal } = this.closing;
    const params = { onlyAlive: settings.onlyAlive };
    try {
      const built = await builder.build(params, { signal, attended: false });
      const { hosts, before, added, removed, rekeyed, problems, moreProblems, warning } = built;
      const told = {
        hosts,
        ...(before !== "good" && { before }),
        added: added.length,
        removed: removed.length,
        rekeyed: rekeyed.length,
        problems: problems.length + moreProblems,
      };
      log.info("the delegation map was built", told);
      if (warning !== undefined) log.warn(warning);
      for (const { path, outcome, message } of problems.slice(0, MAX_TOLD)) {
        if (outcome === "not-asked") log.warn(message, { host: path.join("/") });
      }
      for (const path of rekeyed) {
        const host = path.join("/");
        log.warn("a host has another key than the one on record: func build-map takes it", {
          host,
        });
      }
      note("map/build", { ...params, ...told });
    } catch (error) {
      if (!signal.aborted) note("map/build", { ...params, problem: messageOf(error) });
      throw error;
    }
  }
}
