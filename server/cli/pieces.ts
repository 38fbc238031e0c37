import type { OutputRef } from "../protocol/outputs";

/** A part of what is printed: text as it is, or something larger that is read while it is printed. */
export type Piece = string | LinesPiece | JsonPiece;

/** An output, or bytes that are no text, as a block of lines. */
export interface LinesPiece {
  kind: "lines";
  source: OutputRef | Buffer;
  /** In front of the first line. */
  first: string;
  /** In front of every other line. */
  rest: string;
  /** Nothing in front of lines that are empty. */
  bareWhereEmpty: boolean;
  /** Bytes that are no UTF-8 are written as they are, but never to a terminal; else as codes. */
  exact: boolean;
}

/** An output as a string of JSON; `typed` keeps bytes as `{"$base64": ...}`. */
export interface JsonPiece {
  kind: "json";
  ref: OutputRef;
  typed: boolean;
}
