import { FuncError } from "../common/errors";
import type { AnswerBody, AnswerHead } from "./answerBody";
import type { DecodedResponse } from "./decode";

/** One answer as it came, chunks joined; content codings are not undone. */
export interface HttpResponse {
  status: number;
  /** Names in lower case. Repeated ones are joined by ", ". */
  headers: ReadonlyMap<string, string>;
  /** Empty where the body went to `stream`. */
  body: Buffer;
  stream?: AnswerBody;
  /** What the body of `stream` says, once it has been ended. */
  answer?: DecodedResponse;
  /** True where another request may follow on the same connection. */
  keepAlive: boolean;
}

const MAX_HEAD_BYTES = 64 * 1024;
/** A plain body up to here is kept and decoded when it is whole, which costs least. */
export const SMALL_BODY_BYTES = 64 * 1024;
const MAX_CHUNK_LINE_BYTES = 1024;
const MAX_TRAILER_LINES = 100;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
const CHUNK_LINE = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/;
const END_OF_HEAD = "\r\n\r\n";

type State =
  "head" | "sized" | "chunk-size" | "chunk-data" | "chunk-end" | "trailer" | "to-end" | "done";

/**
 * Reads one HTTP/1.x response from the pieces a socket delivers, as far as an XML-RPC client needs it.
 * Throws FuncError "broken-answer" on anything malformed, "too-large" beyond `maxBodyBytes`, and what the
 * stream throws that `openBody` makes for a body that is not known to be small.
 */
export class HttpResponseParser {
  #state: State = "head";
  /** Bytes of an unfinished head or line. */
  #pending: Buffer = Buffer.alloc(0);
  #status = 0;
  #minor = 1;
  #headers: ReadonlyMap<string, string> = new Map();
  #body: Buffer[] = [];
  #stream?: AnswerBody;
  #waits: Promise<unknown>[] = [];
  #bodyBytes = 0;
  #left = 0;
  #expectedBytes?: number;
  #trailerLines = 0;
  #started = false;
  #extra = false;

  constructor(
    private readonly maxBodyBytes: number,
    private readonly openBody?: (head: AnswerHead) => AnswerBody,
  ) {}

  /** True once a byte of the answer has come. */
  get started(): boolean {
    return this.#started;
  }

  /** How many bytes the body has, where the head says so. */
  get expectedBytes(): number | undefined {
    return this.#expectedBytes;
  }

  /** What to wait for before the next piece, where there is anything. */
  takeWait(): Promise<unknown> | undefined {
    if (this.#waits.length === 0) return undefined;
    const waits = this.#waits;
    this.#waits = [];
    return Promise.all(waits);
  }

  /** Takes the next piece; returns the response once it is whole. */
  push(piece: Buffer): HttpResponse | undefined {
    if (piece.length > 0) this.#started = true;
    let rest: Buffer | undefined = piece;
    while (rest && rest.length > 0) {
      if (this.#state === "done") {
        this.#extra = true;
        break;
      }
      rest = this.#step(rest);
    }
    return this.#state === "done" ? this.#response() : undefined;
  }

  /** The peer ended the connection: the response where that is how its end is marked, else undefined. */
  end(): HttpResponse | undefined {
    if (this.#state !== "to-end") return undefined;
    this.#state = "done";
    return this.#response();
  }

  #step(piece: Buffer): Buffer | undefined {
    switch (this.#state) {
      case "head":
        return this.#readHead(piece);
      case "sized":
        return this.#take(piece, "done");
      case "chunk-data":
        return this.#take(piece, "chunk-end");
      case "to-end":
        this.#keep(piece);
        return undefined;
      default:
        return this.#readLine(piece);
    }
  }

  #readHead(piece: Buffer): Buffer | undefined {
    const before = this.#pending.length;
    const all = before === 0 ? piece : Buffer.concat([this.#pending, piece]);
    // an end may lie across the seam, but never before it: what was looked through is not looked through again
    const end = all.indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length + 1));
    if (end > MAX_HEAD_BYTES || (end < 0 && all.length > MAX_HEAD_BYTES)) {
      return broken(`headers of more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end < 0) {
      if (!"HTTP/1.".startsWith(all.toString("latin1", 0, 7))) return broken("no HTTP");
      this.#pending = all;
      return undefined;
    }
    this.#pending = Buffer.alloc(0);
    this.#parseHead(all.toString("latin1", 0, end));
    return all.subarray(end + END_OF_HEAD.length);
  }

  #parseHead(head: string): void {
    const [first = "", ...lines] = head.split("\r\n");
    const status = STATUS_LINE.exec(first);
    if (!status) return broken("no HTTP");
    this.#minor = Number(status[1]);
    this.#status = Number(status[2]);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value] = HEADER_LINE.exec(line) ?? [];
      if (name === undefined || value === undefined) return broken("a malformed header");
      const key = name.toLowerCase();
      const earlier = headers.get(key);
      headers.set(key, earlier === undefined ? value : `${earlier}, ${value}`);
    }
    if (this.#status < 200) return; // "100 Continue" and the like: the answer is still to come
    this.#headers = headers;
    this.#startBody(headers);
  }

  #startBody(headers: ReadonlyMap<string, string>): void {
    const coding = headers.get("transfer-encoding");
    const length = headers.get("content-length");
    if (coding !== undefined) {
      // both at once is how answers are smuggled past each other
      if (coding.toLowerCase() !== "chunked" || length !== undefined) {
        return broken("a transfer encoding that is not plain chunked");
      }
      this.#state = "chunk-size";
    } else if (length !== undefined) {
      if (!/^[0-9]{1,15}$/.test(length)) return broken("a malformed Content-Length");
      this.#expectedBytes = Number(length);
      this.#expect(this.#expectedBytes);
      this.#state = this.#left === 0 ? "done" : "sized";
      if (this.#left <= SMALL_BODY_BYTES && !headers.has("content-encoding")) return;
    } else {
      this.#state = this.#status === 204 || this.#status === 304 ? "done" : "to-end";
    }
    if (this.#status === 200 && this.#state !== "done") {
      this.#stream = this.openBody?.({ headers, length: this.#expectedBytes });
    }
  }

  #expect(bytes: number): void {
    if (this.#bodyBytes + bytes > this.maxBodyBytes) {
      throw new FuncError(
        "too-large",
        `the answer is larger than ${this.maxBodyBytes} bytes, the most that is read`,
      );
    }
    this.#left = bytes;
  }

  #keep(piece: Buffer): void {
    this.#expect(piece.length);
    this.#pass(piece);
  }

  #pass(piece: Buffer): void {
    this.#bodyBytes += piece.length;
    if (!this.#stream) {
      // why a call was not answered is told by the head
      if (this.#status === 200 || this.#bodyBytes <= SMALL_BODY_BYTES) this.#body.push(piece);
      return;
    }
    const wait = this.#stream.push(piece);
    if (!wait) return;
    wait.catch(() => undefined); // told by `takeWait`, or no longer of interest
    this.#waits.push(wait);
  }

  #take(piece: Buffer, next: State): Buffer | undefined {
    const taken = Math.min(piece.length, this.#left);
    this.#left -= taken;
    this.#pass(piece.subarray(0, taken));
    if (this.#left === 0) this.#state = next;
    return piece.subarray(taken);
  }

  #readLine(piece: Buffer): Buffer | undefined {
    const all = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    const end = all.indexOf("\r\n");
    if (end > MAX_CHUNK_LINE_BYTES || (end < 0 && all.length > MAX_CHUNK_LINE_BYTES)) {
      return broken("a chunk line that is too long");
    }
    if (end < 0) {
      this.#pending = all;
      return undefined;
    }
    this.#pending = Buffer.alloc(0);
    this.#handleLine(all.toString("latin1", 0, end));
    return all.subarray(end + 2);
  }

  #handleLine(line: string): void {
    if (this.#state === "chunk-end") {
      if (line !== "") return broken("a chunk that is longer than it says");
      this.#state = "chunk-size";
    } else if (this.#state === "chunk-size") {
      const size = CHUNK_LINE.exec(line)?.[1];
      if (size === undefined) return broken("a malformed chunk size");
      this.#expect(parseInt(size, 16));
      this.#state = this.#left === 0 ? "trailer" : "chunk-data";
    } else if (line === "") {
      this.#state = "done";
    } else if (++this.#trailerLines > MAX_TRAILER_LINES) {
      return broken("too many trailers");
    }
  }

  #response(): HttpResponse {
    const connection = (this.#headers.get("connection") ?? "").toLowerCase();
    const framed = this.#headers.has("content-length") || this.#headers.has("transfer-encoding");
    return {
      status: this.#status,
      headers: this.#headers,
      stream: this.#stream,
      body: this.#body.length === 1 && this.#body[0] ? this.#body[0] : Buffer.concat(this.#body),
      keepAlive: framed && !this.#extra && this.#minor === 1 && !/\bclose\b/.test(connection),
    };
  }
}

function broken(what: string): never {
  throw new FuncError("broken-answer", what);
}
