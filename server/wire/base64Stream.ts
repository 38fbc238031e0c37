const PACKED = /^[A-Za-z0-9+/]*={0,2}$/;

/** Unpacks base64 that comes in pieces, as strictly as `<base64>` is read in scalar.ts. */
export class Base64Stream {
  /** Up to three characters that are no whole group yet. */
  #rest = "";
  #ended = false;

  /** The bytes of the next piece; undefined where it is no base64. */
  push(piece: Buffer): Buffer | undefined {
    const text = this.#rest + piece.toString("latin1").replace(/[ \t\r\n]+/g, "");
    if (this.#ended) return text === "" ? Buffer.alloc(0) : undefined;
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const packed = this.#rest === "" ? text : text.slice(0, whole);
    if (!PACKED.test(packed)) return undefined;
    const bytes = Buffer.from(packed, "base64");
    if (packed.endsWith("=")) {
      this.#ended = true;
      // bits that belong to no byte must be zero: one text for one value
      const group = packed.slice(-4);
      if (this.#rest !== "" || Buffer.from(group, "base64").toString("base64") !== group) {
        return undefined;
      }
    }
    return bytes;
  }

  /** False where the text ends within a group. */
  end(): boolean {
    return this.#rest === "";
  }
}
