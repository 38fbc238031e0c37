import { expandJson, type OutputReader } from "../client/outputs";
import type { JsonValue } from "../protocol/value";
import { jsonPieces } from "./jsonPieces";
import { printPieces } from "./printPieces";
import type { Sink } from "./sink";

/** One object of JSON, host to value, written member by member: it need never be in memory as a whole. */
export class JsonObject {
  #front = "{";

  /** `typed` keeps the marks of XML-RPC types. */
  constructor(
    private readonly sink: Sink,
    private readonly reader: OutputReader,
    private readonly typed: boolean,
  ) {}

  /** Writes the next member. Throws as `outputChunks` does; what was written then is no JSON. */
  async member(name: string, value: JsonValue): Promise<void> {
    const expanded = await expandJson(this.reader, value);
    this.sink.text(`${this.#front}${JSON.stringify(name)}:`);
    this.#front = ",";
    await printPieces(this.sink, this.reader, jsonPieces(expanded, this.typed));
  }

  /** Closes the object. */
  end(): void {
    this.sink.text(this.#front === "{" ? "{}" : "}");
  }
}
