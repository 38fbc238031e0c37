import { isAscii, isUtf8 } from "node:buffer";
import { FuncError } from "../common/errors";

const DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][A-Za-z0-9._-]*)"|'([A-Za-z][A-Za-z0-9._-]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/;
const MAX_DECLARATION = 1_000;

/**
 * The text of an XML document with line ends as "\n", and where its XML declaration ends (0 without one).
 * UTF-8 (with or without a mark), US-ASCII and ISO-8859-1 are read. Throws FuncError "bad-data" on
 * other encodings and on bytes that are not of the encoding.
 */
export function documentText(bytes: Uint8Array): { text: string; start: number } {
  let buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) buffer = buffer.subarray(3);
  if (isUtf16(buffer))
    throw new FuncError(
      "bad-data",
      "The document is in UTF-16, which is not read here; send UTF-8.",
    );
  const head = buffer.toString("latin1", 0, Math.min(buffer.length, MAX_DECLARATION));
  const declaration = DECLARATION.exec(head);
  const encoding = (declaration?.[1] ?? declaration?.[2] ?? "utf-8").toLowerCase();
  const decoded = decodeAs(encoding, buffer);
  const text = decoded.includes("\r") ? decoded.replace(/\r\n?/g, "\n") : decoded;
  const start = declaration ? declaration[0].replace(/\r\n?/g, "\n").length : 0;
  return { text, start };
}

function isUtf16(buffer: Buffer): boolean {
  const [first, second] = buffer;
  return (
    (first === 0xfe && second === 0xff) ||
    (first === 0xff && second === 0xfe) ||
    (first === 0x3c && second === 0) ||
    (first === 0 && second === 0x3c)
  );
}

function decodeAs(encoding: string, buffer: Buffer): string {
  // of all-ASCII bytes every accepted encoding makes the same text, and a one-byte string is the fastest to scan
  const ascii = isAscii(buffer);
  switch (encoding) {
    case "utf-8":
    case "utf8":
      if (ascii) return buffer.toString("latin1");
      if (!isUtf8(buffer)) throw new FuncError("bad-data", "The document is not valid UTF-8.");
      return buffer.toString("utf8");
    case "us-ascii":
    case "ascii":
      if (!ascii) {
        throw new FuncError(
          "bad-data",
          "The document says it is US-ASCII, but has bytes beyond it.",
        );
      }
      return buffer.toString("latin1");
    case "iso-8859-1":
    case "latin1":
      return buffer.toString("latin1");
    default:
      throw new FuncError(
        "bad-data",
        `The document is in the encoding "${encoding.slice(0, 40)}", which is not read here; send UTF-8.`,
      );
  }
}
