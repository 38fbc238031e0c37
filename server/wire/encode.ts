import { FuncError } from "../common/errors";
import { DEFAULT_LIMITS } from "./decode";
import type { LargePart, OutgoingDocument } from "./outgoingDocument";
import { documentOf, LARGE_CHARACTERS, placeholder, wholeDocument } from "./outgoingDocument";
import type { XmlRpcStruct, XmlRpcValue } from "./value";
import { XmlRpcDateTime, XmlRpcDouble, XmlRpcSpooled } from "./value";
import { doubleText } from "./doubleText";
import { escapeText } from "./escapeText";
import { DATE_TIME } from "./scalar";
import { UNCARRIABLE_TEXT } from "./xmlCharacters";

const HEADER = "<?xml version='1.0'?>\n";
const METHOD_NAME = /^[\x21-\x7e]{1,512}$/;
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;

/** A `methodCall` document. Throws FuncError "bad-argument" where a value has no form in XML-RPC. */
export function callDocument(method: string, params: readonly XmlRpcValue[]): OutgoingDocument {
  if (!METHOD_NAME.test(method)) {
    throw new FuncError("bad-argument", `"${method.slice(0, 80)}" cannot be a method's name.`);
  }
  const large: LargePart[] = [];
  const list = params.map((param) => `<param>\n${valueText(param, 1, large)}</param>\n`).join("");
  return documentOf(
    `${HEADER}<methodCall>\n<methodName>${escapeText(method)}</methodName>\n<params>\n${list}</params>\n</methodCall>\n`,
    large,
  );
}

/** A `methodResponse` with a value. Throws FuncError "bad-argument" where it has no form in XML-RPC. */
export function responseDocument(value: XmlRpcValue): OutgoingDocument {
  const large: LargePart[] = [];
  return documentOf(
    `${HEADER}<methodResponse>\n<params>\n<param>\n${valueText(value, 1, large)}</param>\n</params>\n</methodResponse>\n`,
    large,
  );
}

/** As `callDocument`, in one piece. */
export function encodeCall(method: string, params: readonly XmlRpcValue[]): Buffer {
  return wholeDocument(callDocument(method, params));
}

/** As `responseDocument`, in one piece. */
export function encodeResponse(value: XmlRpcValue): Buffer {
  return wholeDocument(responseDocument(value));
}

/** A `methodResponse` with a fault. Characters of `message` that XML cannot carry are replaced. */
export function encodeFault(code: number, message: string): Buffer {
  const carried = message.replace(new RegExp(UNCARRIABLE_TEXT, "g"), "\ufffd");
  const large: LargePart[] = [];
  const fault = valueText({ faultCode: code, faultString: carried }, 1, large);
  return wholeDocument(
    documentOf(`${HEADER}<methodResponse>\n<fault>\n${fault}</fault>\n</methodResponse>\n`, large),
  );
}

/** `large` takes what is too long to be put into the text itself. */
function valueText(value: XmlRpcValue, depth: number, large: LargePart[]): string {
  return `<value>${typedText(value, depth, large)}</value>\n`;
}

function typedText(value: XmlRpcValue, depth: number, large: LargePart[]): string {
  switch (typeof value) {
    case "string":
      return stringText(value, large);
    case "number":
      return numberText(value);
    case "boolean":
      return `<boolean>${value ? 1 : 0}</boolean>`;
    case "bigint":
      return bigintText(value);
    case "object":
      return value === null ? "<nil/>" : objectText(value, depth, large);
    default:
      return refuse(`a value of the type ${typeof value}`);
  }
}

function objectText(
  value: Exclude<XmlRpcValue & object, null>,
  depth: number,
  large: LargePart[],
): string {
  if (value instanceof Uint8Array) return base64Text(value, large);
  if (value instanceof XmlRpcDouble) return `<double>${finiteText(value.value)}</double>`;
  if (value instanceof XmlRpcDateTime) return dateTimeText(value.iso8601);
  if (value instanceof XmlRpcSpooled) return refuse("an output that is kept in a file");
  if (depth >= DEFAULT_LIMITS.maxDepth) {
    return refuse(`values nested deeper than ${DEFAULT_LIMITS.maxDepth}`);
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => valueText(item, depth + 1, large)).join("");
    return `<array><data>\n${items}</data></array>`;
  }
  return structText(value, depth, large);
}

function structText(struct: XmlRpcStruct, depth: number, large: LargePart[]): string {
  const prototype: unknown = Object.getPrototypeOf(struct);
  // a Map or a Date would travel as an empty struct
  if (prototype !== null && prototype !== Object.prototype) refuse("an object of a class");
  let members = "";
  for (const [name, value] of Object.entries(struct)) {
    if (UNCARRIABLE_TEXT.test(name)) refuse("a struct member whose name has control characters");
    members += `<member>\n<name>${escapeText(name)}</name>\n${valueText(value, depth + 1, large)}</member>\n`;
  }
  return `<struct>\n${members}</struct>`;
}

function stringText(text: string, large: LargePart[]): string {
  if (UNCARRIABLE_TEXT.test(text)) return base64Text(Buffer.from(text, "utf8"), large);
  const inner = text.length > LARGE_CHARACTERS ? placeholder(text, large) : escapeText(text);
  return `<string>${inner}</string>`;
}

function base64Text(bytes: Uint8Array, large: LargePart[]): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const inner =
    buffer.length > LARGE_CHARACTERS ? placeholder(buffer, large) : buffer.toString("base64");
  return `<base64>${inner}</base64>`;
}

function numberText(value: number): string {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    return `<double>${finiteText(value)}</double>`;
  }
  return value >= INT_MIN && value <= INT_MAX ? `<int>${value}</int>` : `<i8>${value}</i8>`;
}

function bigintText(value: bigint): string {
  if (BigInt.asIntN(64, value) !== value) return refuse("an integer beyond 64 bits");
  return value >= INT_MIN && value <= INT_MAX ? `<int>${value}</int>` : `<i8>${value}</i8>`;
}

function finiteText(value: number): string {
  return Number.isFinite(value) ? doubleText(value) : refuse(`the number ${value}`);
}

function dateTimeText(iso8601: string): string {
  if (!DATE_TIME.test(iso8601)) return refuse("a date that is not ISO 8601");
  return `<dateTime.iso8601>${iso8601}</dateTime.iso8601>`;
}

function refuse(what: string): never {
  throw new FuncError("bad-argument", `XML-RPC has no form for ${what}.`);
}
