import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { AnswerOutputs } from "../../server/wire/answerOutputs";
import { BodyLifter } from "../../server/wire/bodyLifter";
import type { DecodedResponse } from "../../server/wire/decode";
import { decodeResponse, DEFAULT_LIMITS } from "../../server/wire/decode";
import { encodeResponse } from "../../server/wire/encode";
import type { XmlRpcStruct, XmlRpcValue } from "../../server/wire/value";
import { XmlRpcDateTime, XmlRpcDouble, XmlRpcSpooled } from "../../server/wire/value";
import { xmlRpcValue } from "../fixtures/arbitraryValue";
import { MemorySpool } from "../fixtures/memorySpool";

/** Decodes `document`, lifting texts of more than `liftBytes`; `cuts` are where its pieces end. */
async function lift(
  document: Buffer,
  spool: MemorySpool,
  liftBytes: number,
  cuts: readonly number[] = [],
): Promise<DecodedResponse> {
  const outputs = new AnswerOutputs(spool);
  try {
    const lifter = new BodyLifter(outputs, DEFAULT_LIMITS, liftBytes);
    const ends = [...cuts.map((cut) => cut % (document.length + 1)), document.length];
    let from = 0;
    for (const end of ends.sort((a, b) => a - b)) {
      lifter.push(document.subarray(from, end));
      await outputs.wait();
      from = end;
    }
    const { skeleton, values } = await lifter.end();
    return decodeResponse(skeleton, DEFAULT_LIMITS, values);
  } catch (error) {
    outputs.discard();
    await new Promise((resolve) => setImmediate(resolve));
    expect([spool.open, spool.outputs.size]).toEqual([0, 0]);
    throw error;
  }
}

/** `value` with what was lifted out of it put back. */
function resolved(value: XmlRpcValue, spool: MemorySpool): XmlRpcValue {
  if (value instanceof XmlRpcSpooled) {
    const bytes = spool.outputs.get(value.sha256)?.bytes;
    expect(bytes?.length).toBe(value.bytes);
    if (!bytes) throw new Error("not there");
    if (value.kind === "text") expect(bytes.toString().startsWith(value.head)).toBe(true);
    return value.kind === "text" ? bytes.toString() : new Uint8Array(bytes);
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof XmlRpcDouble || value instanceof XmlRpcDateTime) return value;
  if (Array.isArray(value)) return value.map((item) => resolved(item, spool));
  const struct = Object.create(null) as XmlRpcStruct;
  for (const [name, member] of Object.entries(value)) struct[name] = resolved(member, spool);
  return struct;
}

function failure(error: unknown): string {
  expect(error).toBeInstanceOf(FuncError);
  return (error as FuncError).reason;
}

/** Decodes in both ways; both must come to the same, be it a value or a refusal. */
async function sameBothWays(
  document: Buffer,
  liftBytes: number,
  cuts: readonly number[],
): Promise<DecodedResponse | string> {
  let expected: DecodedResponse | string;
  try {
    expected = decodeResponse(document);
  } catch (error) {
    expected = failure(error);
  }
  const spool = new MemorySpool();
  let found: DecodedResponse | string;
  try {
    const answer = await lift(document, spool, liftBytes, cuts);
    found = "value" in answer ? { value: resolved(answer.value, spool) } : answer;
  } catch (error) {
    found = failure(error);
    if (typeof expected !== "string") throw error;
  }
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected);
  return expected;
}

const cutPlaces = fc.array(fc.nat({ max: 100_000 }), { maxLength: 30 });
const liftLimit = fc.integer({ min: 0, max: 40 });

const textAtom = fc.oneof(
  fc
    .string({ unit: "binary", maxLength: 8 })
    .map((text) => text.replace(/[<&\0-\x1f\ufffe\uffff]/g, "x")),
  fc.constantFrom("&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#13;", "&#x1F600;", "&#0065;"),
  fc.constantFrom("\r", "\n", "\r\n", "\t", " ", "]", "]]", ">", "é", "😀", "\u{10ffff}", "QUI="),
  fc.constantFrom(
    "<![CDATA[a]]>",
    "<![CDATA[]]]]>",
    "<![CDATA[<b>&amp;\r]]>",
    "<!-- - c <s> -->",
    "<!---->",
  ),
);
/** What is refused wherever it stands. */
const badAtom = fc.constantFrom(
  "]]>", "&nbsp;", "&", "&#0;", "&#xD800;", "&#x110000;", "\u0001", "\ufffe", "<!-- -- -->", "<!DOCTYPE x>", "<?x?>",
  "<string>", "</string>", "<x/>", "<![CDATA[", "<!--", "<!",
); // prettier-ignore
const text = fc.array(textAtom, { maxLength: 12 }).map((atoms) => atoms.join(""));
const base64 = fc
  .tuple(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom("", "\n", "\r\n", " ", "<!--x-->", "&#10;"),
  )
  .map(([bytes, space]) =>
    Buffer.from(bytes)
      .toString("base64")
      .replace(/(.{1,7})/g, `$1${space}`),
  );
const typed = fc.oneof(
  text.map((inner) => `<value><string>${inner}</string></value>`),
  text.map((inner) => `<value>${inner}</value>`),
  base64.map((inner) => `<value><base64>${inner}</base64></value>`),
  fc.constantFrom(
    `<value>${" ".repeat(50)}<int>${" ".repeat(50)}7</int>${"\n".repeat(50)}</value>`,
    `<value><!--${"-x".repeat(40)}--><string\t>a</string\n></value >`,
    "<value/>", "<value></value>", "<value><string/></value>", "<value><base64/></value>",
    `<value><int>${"0".repeat(60)}1</int></value>`,
  ), // prettier-ignore
);
const document = fc
  .array(typed, { minLength: 1, maxLength: 6 })
  .map((values) => wrap(values.join("")));

function wrap(values: string, declaration = "<?xml version='1.0'?>"): string {
  return `${declaration}<methodResponse><params><param><value><array><data>${values}</data></array></value></param></params></methodResponse>`;
}

describe("a lifted document", () => {
  it("has the value that the decoder gives, wherever its pieces are cut", async () => {
    await fc.assert(
      fc.asyncProperty(document, liftLimit, cutPlaces, async (xml, liftBytes, cuts) => {
        await sameBothWays(Buffer.from(xml), liftBytes, cuts);
      }),
      { numRuns: 600 },
    );
  });

  it("has the value that was encoded", async () => {
    await fc.assert(
      fc.asyncProperty(xmlRpcValue, liftLimit, cutPlaces, async (value, liftBytes, cuts) => {
        const answer = await sameBothWays(encodeResponse(value), liftBytes, cuts);
        expect(answer).toEqual({ value });
      }),
      { numRuns: 200 },
    );
  });

  it("is refused where the decoder refuses it", async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        document, badAtom, fc.nat(), liftLimit, cutPlaces,
        async (xml, bad, place, liftBytes, cuts) => {
          const at = place % xml.length;
          const bytes = Buffer.from(xml.slice(0, at) + bad + xml.slice(at));
          if (typeof (await sameBothWays(bytes, liftBytes, cuts)) === "string") refused++;
        },
      ), // prettier-ignore
      { numRuns: 600 },
    );
    expect(refused).toBeGreaterThan(300);
  });

  it("is judged like the decoder does after any byte was changed, added or lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        document, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 }), liftLimit, cutPlaces,
        async (xml, place, byte, removed, liftBytes, cuts) => {
          const bytes = Buffer.from(xml);
          const at = place % bytes.length;
          const parts = [bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + removed)];
          await sameBothWays(Buffer.concat(parts), liftBytes, cuts);
        },
      ), // prettier-ignore
      { numRuns: 1_000 },
    );
  });

  it("may be in ISO-8859-1, have a mark, and be cut after each byte", async () => {
    const inner = "<value>caf\u00e9 &#8364; \r\n<![CDATA[\u00ff\r]]> and more of it</value>";
    const latin = wrap(inner, "<?xml version='1.0' encoding='ISO-8859-1'?>");
    const every = Array.from({ length: 400 }, (_, at) => at);
    const expected = { value: ["café € \nÿ\n and more of it"] };
    expect(await sameBothWays(Buffer.from(latin, "latin1"), 4, every)).toEqual(expected);
    expect(await sameBothWays(Buffer.from(`\ufeff${wrap(inner)}`), 4, every)).toEqual(expected);
    const ascii = Buffer.from(wrap(inner, "<?xml version='1.0' encoding='US-ASCII'?>"));
    expect(await sameBothWays(ascii, 4, every)).toBe("bad-data");
    const koi8 = Buffer.from(wrap("", "<?xml version='1.0' encoding='KOI8-R'?>"));
    expect(await sameBothWays(koi8, 4, every)).toBe("bad-data");
    expect(await sameBothWays(Buffer.from(wrap(inner), "utf16le"), 4, every)).toBe("bad-data");
  });
});
