/**
 * A value of XML-RPC. Numbers: an integer travels as `int` within 32 bits, as `i8` beyond; anything
 * with a fraction as `double`. `bigint` is for `i8` beyond 2^53. Structs have a null prototype when decoded.
 */
export type XmlRpcValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | XmlRpcDouble
  | XmlRpcDateTime
  | XmlRpcSpooled
  | XmlRpcValue[]
  | XmlRpcStruct;

export interface XmlRpcStruct {
  [name: string]: XmlRpcValue;
}

/** A double that has no fraction: keeps `<double>3</double>` from turning into `<int>3</int>`. */
export class XmlRpcDouble {
  constructor(readonly value: number) {}
}

/** `dateTime.iso8601` as written, "20260131T12:00:00": it has no time zone, so it is no `Date`. */
export class XmlRpcDateTime {
  constructor(readonly iso8601: string) {}
}

/** A string ("text") or base64 ("bytes") that was written to the output spool while it came in, see outputSpool.ts. */
export class XmlRpcSpooled {
  constructor(
    readonly kind: "text" | "bytes",
    readonly sha256: string,
    readonly bytes: number,
    /** How a text begins, at most 4,000 characters; "" for bytes that are no UTF-8. */
    readonly head: string,
  ) {}
}
