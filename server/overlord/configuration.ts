import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Pair } from "yaml";
import { FuncError, messageOf } from "../common/errors";
import type { StoreLimits } from "../jobs/store/workerProtocol";
import { parseNetwork, type AutosignRules } from "../pki/certmaster/autosign";
import { parseNameGlob } from "../pki/certmaster/nameGlob";
import type { MapScheduleSettings } from "./mapSchedule";
import { DEFAULTS, type OverlordConfiguration } from "./overlordConfiguration";

const KNOWN = [
  "nforks",
  "connect_timeout",
  "delivery_timeout",
  "timeout",
  "certmaster",
  "idle_minutes",
  "jobs",
  "map",
];

/** A client of the original may come back for its results so late, whatever is set. */
const LEAST_KEEP_MS = 60 * 60_000;
const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 60 * 60_000, d: DAY_MS };
const MOST_EVERY_MS = 366 * DAY_MS;
const MAX_DAYS = 36_500;
const GIGABYTE = 1024 ** 3;

/** The longest limit that a timer can hold. */
const MAX_SECONDS = 2_000_000;

/** Parses the text of overlord.yaml; `file` is for messages. */
export function parseConfiguration(text: string, file: string): OverlordConfiguration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0];
  if (problem) throw wrong(file, lines.linePos(problem.pos[0]).line, problem.message);
  const result = { ...DEFAULTS };
  if (document.contents === null) return result;
  if (!isMap(document.contents))
    throw wrong(file, 1, "the file must hold settings as `key: value`");
  for (const pair of document.contents.items) apply(result, new Setting(pair, "", file, lines));
  return result;
}

function apply(result: OverlordConfiguration, setting: Setting): void {
  switch (setting.key) {
    case "nforks":
      result.nforks = setting.integer(1, 10_000);
      result.nforksGiven = true;
      return;
    case "connect_timeout":
      result.connectTimeoutMs = setting.number(0.1, MAX_SECONDS) * 1_000;
      return;
    case "delivery_timeout":
      result.deliveryTimeoutMs = setting.number(0.1, MAX_SECONDS) * 1_000;
      return;
    case "timeout":
      result.timeoutMs = setting.number(0.1, MAX_SECONDS) * 1_000;
      return;
    case "idle_minutes":
      result.idleMs = setting.number(0, MAX_SECONDS / 60) * 60_000;
      return;
    case "certmaster":
      for (const inner of setting.settings()) applyCertmaster(result, inner);
      return;
    case "jobs":
      result.jobs = { ...result.jobs };
      for (const inner of setting.settings()) applyJobs(result.jobs, inner);
      return;
    case "map":
      result.map = { ...result.map };
      for (const inner of setting.settings()) applyMap(result.map, inner);
      return;
    default:
      throw setting.unknown(KNOWN);
  }
}

function applyMap(map: MapScheduleSettings, setting: Setting): void {
  switch (setting.key) {
    case "build_every":
      map.everyMs = setting.durationOrOff();
      return;
    case "only_alive":
      map.onlyAlive = setting.boolean();
      return;
    default:
      throw setting.unknown(["build_every", "only_alive"]);
  }
}

function applyJobs(jobs: StoreLimits, setting: Setting): void {
  switch (setting.key) {
    case "keep_days":
      jobs.keepMs = Math.max(setting.number(0, MAX_DAYS) * DAY_MS, LEAST_KEEP_MS);
      return;
    case "keep_jobs":
      jobs.keepJobs = setting.integer(1, 10_000_000);
      return;
    case "keep_gigabytes":
      jobs.keepBytes = Math.round(setting.number(0.01, 1_000_000) * GIGABYTE);
      return;
    default:
      throw setting.unknown(["keep_days", "keep_jobs", "keep_gigabytes"]);
  }
}

function applyCertmaster(result: OverlordConfiguration, setting: Setting): void {
  switch (setting.key) {
    case "listen":
      result.certmasterListen = setting.listenAddress();
      return;
    case "autosign":
      result.autosign = autosignOf(setting);
      return;
    case "original_http":
      for (const inner of setting.settings()) {
        if (inner.key !== "listen") throw inner.unknown(["listen"]);
        result.originalHttp = inner.listenAddress();
      }
      return;
    default:
      throw setting.unknown(["listen", "autosign", "original_http"]);
  }
}

/** Both lists are needed, and neither may be empty: no bound must come about by leaving one out. */
function autosignOf(setting: Setting): AutosignRules | undefined {
  const inner = setting.settings();
  if (inner.length === 0) return undefined;
  const rules: Partial<AutosignRules> = {};
  for (const one of inner) {
    if (one.key === "names") rules.names = one.texts(parseNameGlob);
    else if (one.key === "networks") rules.networks = one.texts(networkText);
    else throw one.unknown(["names", "networks"]);
  }
  const { names, networks } = rules;
  if (!names || !networks) throw setting.expected('both, "names" and "networks"');
  return { names, networks };
}

function networkText(text: string): string {
  parseNetwork(text);
  return text;
}

/** One `key: value` and where it stands. */
class Setting {
  readonly key: string;
  private readonly line: number;

  constructor(
    private readonly pair: Pair,
    private readonly prefix: string,
    private readonly file: string,
    private readonly lines: LineCounter,
  ) {
    const { key } = pair;
    this.key = isScalar(key) ? String(key.value) : "";
    this.line = lines.linePos(isScalar(key) ? (key.range?.[0] ?? 0) : 0).line;
  }

  number(least: number, most: number): number {
    const value = this.scalar();
    if (typeof value !== "number" || !(value >= least && value <= most)) {
      throw this.expected(`a number from ${least} to ${most}`);
    }
    return value;
  }

  integer(least: number, most: number): number {
    const value = this.number(least, most);
    if (!Number.isInteger(value)) throw this.expected("a whole number");
    return value;
  }

  boolean(): boolean {
    const value = this.scalar();
    if (typeof value !== "boolean") throw this.expected("true or false");
    return value;
  }

  /** "90m", "24h" or "7d" in ms, at least a minute and at most a year; undefined for "off". */
  durationOrOff(): number | undefined {
    const value = this.scalar();
    if (value === "off" || value === false) return undefined;
    const [, count, unit = ""] =
      (typeof value === "string" ? /^(\d{1,6})([mhd])$/.exec(value) : null) ?? [];
    const ms = Number(count) * (UNIT_MS[unit] ?? NaN);
    if (!(ms > 0 && ms <= MOST_EVERY_MS)) {
      throw this.expected("off, or a time such as 90m, 24h or 7d, a year at most");
    }
    return ms;
  }

  /** "HOST:PORT", the host in square brackets where it is an IPv6 address. */
  listenAddress(): { host: string; port: number } {
    const value = this.scalar();
    const parts =
      typeof value === "string" ? /^(\[[0-9A-Fa-f:.%]+\]|[^:\s]+):(\d{1,5})$/.exec(value) : null;
    const host = parts?.[1]?.replace(/^\[|\]$/g, "");
    const port = Number(parts?.[2]);
    if (host === undefined || port > 65_535) throw this.expected('HOST:PORT, like "0.0.0.0:51235"');
    return { host, port };
  }

  settings(): Setting[] {
    const { value } = this.pair;
    if (isScalar(value) && value.value === null) return [];
    if (!isMap(value)) throw this.expected("settings of its own, indented");
    return value.items.map((pair) => new Setting(pair, `${this.name()}.`, this.file, this.lines));
  }

  /** A list of at least one text; `check` gives each as it is kept, or throws what is wrong with it. */
  texts(check: (text: string) => string): string[] {
    const { value } = this.pair;
    if (!isSeq(value) || value.items.length === 0) throw this.expected("a list that is not empty");
    return value.items.map((item) => {
      const line = this.lineOf(item);
      if (!isScalar(item) || typeof item.value !== "string") {
        throw wrong(this.file, line, `${this.name()} must be a list of texts`);
      }
      try {
        return check(item.value);
      } catch (error) {
        throw wrong(this.file, line, `${this.name()}: ${messageOf(error).replace(/\.$/, "")}`);
      }
    });
  }

  unknown(known: readonly string[]): FuncError {
    const names = known.map((name) => this.prefix + name).join(", ");
    return wrong(this.file, this.line, `there is no setting "${this.name()}"; known: ${names}`);
  }

  expected(what: string): FuncError {
    return wrong(this.file, this.line, `${this.name()} must be ${what}`);
  }

  private lineOf(item: unknown): number {
    const start = isNode(item) ? item.range?.[0] : undefined;
    return start === undefined ? this.line : this.lines.linePos(start).line;
  }

  private name(): string {
    return this.prefix + this.key;
  }

  private scalar(): unknown {
    return isScalar(this.pair.value) ? this.pair.value.value : undefined;
  }
}

function wrong(file: string, line: number, problem: string): FuncError {
  return new FuncError(
    "bad-data",
    `${file}:${line}: ${problem}.`,
    `Correct line ${line} of ${file}.`,
  );
}
