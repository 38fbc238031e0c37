import type { XmlRpcValue } from "./value";
import { XmlRpcDateTime, XmlRpcDouble } from "./value";
import { trimXmlSpace } from "./xmlCharacters";

const INTEGER = /^[+-]?0*([0-9]{1,19})$/;
const DOUBLE = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const PADDING = /^=[ \t\r\n]*=?[ \t\r\n]*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** What is read, and written, as `dateTime.iso8601`. */
export const DATE_TIME =
  /^[0-9]{4}-?[0-9]{2}-?[0-9]{2}T[0-9]{2}:?[0-9]{2}:?[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$/;
/** Longer than any double or 64-bit integer written out in full. */
const MAX_NUMBER_LENGTH = 2_000;
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const I8_MIN = -(2n ** 63n);
const I8_MAX = 2n ** 63n - 1n;

type Parse = (text: string) => XmlRpcValue | undefined;

/** How the text of each scalar type is read; `undefined` means it is not of that type. */
export const SCALARS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ["string", (text) => text],
  ["int", parseInt32],
  ["i4", parseInt32],
  ["i8", parseInt64],
  ["ex:i8", parseInt64],
  ["boolean", parseBoolean],
  ["double", parseDouble],
  ["base64", parseBase64],
  ["dateTime.iso8601", parseDateTime],
  ["nil", parseNil],
  ["ex:nil", parseNil],
]);

function parseInt32(text: string): number | undefined {
  const trimmed = trimXmlSpace(text);
  if (trimmed.length > MAX_NUMBER_LENGTH || !INTEGER.test(trimmed)) return undefined;
  const value = Number(trimmed);
  if (value < INT_MIN || value > INT_MAX) return undefined;
  return value === 0 ? 0 : value; // "-0" is 0
}

function parseInt64(text: string): number | bigint | undefined {
  const trimmed = trimXmlSpace(text);
  if (trimmed.length > MAX_NUMBER_LENGTH || !INTEGER.test(trimmed)) return undefined;
  const value = BigInt(trimmed.startsWith("+") ? trimmed.slice(1) : trimmed);
  if (value < I8_MIN || value > I8_MAX) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function parseBoolean(text: string): boolean | undefined {
  const trimmed = trimXmlSpace(text);
  return trimmed === "1" ? true : trimmed === "0" ? false : undefined;
}

function parseDouble(text: string): number | XmlRpcDouble | undefined {
  const trimmed = trimXmlSpace(text);
  if (trimmed.length > MAX_NUMBER_LENGTH || !DOUBLE.test(trimmed)) return undefined;
  const value = Number(trimmed);
  if (!Number.isFinite(value)) return undefined;
  return Number.isInteger(value) ? new XmlRpcDouble(value) : value;
}

function parseBase64(text: string): Uint8Array | undefined {
  const padding = text.indexOf("=");
  if (padding >= 0 && !PADDING.test(text.slice(padding))) return undefined;
  const packed = text.replace(/[ \t\r\n]+/g, "");
  if (packed.length % 4 !== 0 || !BASE64.test(packed)) return undefined;
  const buffer = Buffer.from(packed, "base64");
  // bits that belong to no byte must be zero: one text for one value
  const rest = buffer.length % 3;
  if (rest !== 0 && buffer.subarray(-rest).toString("base64") !== packed.slice(-4))
    return undefined;
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function parseDateTime(text: string): XmlRpcDateTime | undefined {
  const trimmed = trimXmlSpace(text);
  return DATE_TIME.test(trimmed) ? new XmlRpcDateTime(trimmed) : undefined;
}

function parseNil(text: string): null | undefined {
  return trimXmlSpace(text) === "" ? null : undefined;
}
