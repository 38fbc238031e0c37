import { hash } from "node:crypto";

/** The last line of a chain: the next one names its hash. */
export interface ChainEnd {
  seq: number;
  /** hex SHA-256. */
  hash: string;
}

/** What stands before the first line. */
export const CHAIN_START: ChainEnd = { seq: 0, hash: "0".repeat(64) };

/** What a line tells; the chain's own four fields cannot be among it. */
export type ChainFields = Readonly<Record<string, unknown>> & {
  seq?: never;
  time?: never;
  prev?: never;
  hash?: never;
};

/** A whole line as read. */
export interface ChainLine extends ChainEnd {
  prev: string;
  time: string;
  fields: Record<string, unknown>;
}

/** Where a line would be longer, its fields are left out and that is said. */
export const MAX_LINE_BYTES = 32 * 1024;

const LINE = /^(\{[\x20-\x7e]*),"hash":"([0-9a-f]{64})"\}$/;

/**
 * The next line, without its newline: JSON of `seq`, `time`, `prev` (the hash before it), the fields and
 * `hash`, the SHA-256 of the line as it is without that member. ASCII only. `seq` is the next number
 * unless lines are known to be missing.
 */
export function chainLine(
  before: ChainEnd,
  fields: ChainFields,
  seq = before.seq + 1,
): { text: string; end: ChainEnd } {
  const own = { seq, time: new Date().toISOString(), prev: before.hash };
  let open = ascii(JSON.stringify({ ...own, ...fields }));
  if (open.length > MAX_LINE_BYTES) {
    open = JSON.stringify({ ...own, event: "too-large", bytes: open.length });
  }
  const digest = hash("sha256", open, "hex");
  return { text: `${open.slice(0, -1)},"hash":"${digest}"}`, end: { seq, hash: digest } };
}

/** Reads a line (latin1, without its newline); undefined where it is not what was written. */
export function readChainLine(text: string): ChainLine | undefined {
  const [, open, digest] = LINE.exec(text) ?? [];
  if (open === undefined || digest === undefined) return undefined;
  if (hash("sha256", `${open}}`, "hex") !== digest) return undefined;
  try {
    const { seq, time, prev, ...fields } = JSON.parse(`${open}}`) as Record<string, unknown>;
    if (typeof seq !== "number" || typeof time !== "string" || typeof prev !== "string") {
      return undefined;
    }
    return { seq, time, prev, hash: digest, fields };
  } catch {
    return undefined;
  }
}

/** JSON in ASCII alone: a terminal that shows it, and a flipped bit, must both be unable to deceive. */
export function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
