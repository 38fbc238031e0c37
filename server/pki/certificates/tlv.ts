const LONG_FORM = 0x80;
const MAX_LENGTH_BYTES = 4;

/** A value that begins `at`; its content goes from `from` to `to`. */
export interface TlvValue {
  tag: number;
  at: number;
  from: number;
  to: number;
}

/** Undefined where there is none. Reads nothing of what is inside. */
export function valueAt(der: Uint8Array, at: number): TlvValue | undefined {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  let from = at + 2;
  let length = first;
  if (first >= LONG_FORM) {
    const bytes = first - LONG_FORM;
    if (bytes === 0 || bytes > MAX_LENGTH_BYTES) return undefined;
    length = 0;
    for (const end = from + bytes; from < end; from++) length = length * 256 + (der[from] ?? NaN);
  }
  const to = from + length;
  return to <= der.length ? { tag, at, from, to } : undefined;
}

/** The values inside a constructed one. Throws Error where they do not fill it. */
export function valuesIn(der: Uint8Array, { from, to }: TlvValue): TlvValue[] {
  const values: TlvValue[] = [];
  for (let at = from; at < to;) {
    const value = valueAt(der, at);
    if (!value || value.to > to) throw new Error("a value is longer than what holds it");
    values.push(value);
    at = value.to;
  }
  return values;
}

/** One value in DER. */
export function tlv(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const length: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  const head = body.length < LONG_FORM ? [body.length] : [LONG_FORM + length.length, ...length];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}
