import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import type { DecodeLimits } from "../../server/wire/decode";
import { decodeCall, decodeResponse } from "../../server/wire/decode";
import { encodeResponse } from "../../server/wire/encode";
import { fromJson } from "../../server/wire/jsonValue";
import type { XmlRpcValue } from "../../server/wire/value";
import { XmlRpcDateTime, XmlRpcDouble } from "../../server/wire/value";

function document(value: string): Buffer {
  return Buffer.from(
    `<?xml version='1.0'?>\n<methodResponse><params><param>${value}</param></params></methodResponse>`,
  );
}

function decode(value: string): XmlRpcValue {
  const answer = decodeResponse(document(value));
  if (!("value" in answer)) throw new Error("a fault");
  return answer.value;
}

function reasonOf(bytes: Uint8Array, limits?: Partial<DecodeLimits>): string {
  try {
    decodeResponse(bytes, limits);
  } catch (error) {
    return error instanceof FuncError ? error.reason : String(error);
  }
  return "accepted";
}

describe("values that are read", () => {
  it.each<[string, XmlRpcValue]>([
    ["<value>bare &lt;text&gt;</value>", "bare <text>"],
    ["<value>  </value>", "  "],
    ["<value/>", ""],
    ["<value>a<!-- no -->b<![CDATA[<c>]]></value>", "ab<c>"],
    ["<value> <int> 007 </int>\n</value>", 7],
    ["<value><int>+5</int></value>", 5],
    ["<value><int>-0</int></value>", 0],
    ["<value><i4>-2147483648</i4></value>", -2147483648],
    ["<value><i8>9007199254740991</i8></value>", 9007199254740991],
    ["<value><i8>-9223372036854775808</i8></value>", -9223372036854775808n],
    ["<value><ex:i8>9007199254740993</ex:i8></value>", 9007199254740993n],
    ["<value><nil/></value>", null],
    ["<value><ex:nil></ex:nil></value>", null],
    ["<value><boolean>1</boolean></value>", true],
    ["<value><boolean>0</boolean></value>", false],
    ["<value><double>-.5e1</double></value>", new XmlRpcDouble(-5)],
    ["<value><double>0.25</double></value>", 0.25],
    ["<value><string>a\r\nb\rc&#13;</string></value>", "a\nb\nc\r"],
    ["<value><string>&#x1F600;&#233;&amp;lt;</string></value>", "😀é&lt;"],
    ["<value><base64> aGk=\n</base64></value>", new Uint8Array([0x68, 0x69])],
    ["<value><base64/></value>", new Uint8Array()],
    [
      "<value><dateTime.iso8601>20260131T12:00:00</dateTime.iso8601></value>",
      new XmlRpcDateTime("20260131T12:00:00"),
    ],
    ["<value><array><data/></array></value>", []],
    ["<value ><array ><data ><value >x</value ></data ></array ></value >", ["x"]],
  ])("%s", (xml, value) => {
    expect(decode(xml)).toEqual(value);
  });

  it("keeps dangerous member names as plain members; the last of two wins", () => {
    const value = decode(
      "<value><struct><member><name>__proto__</name><value>x</value></member>" +
        "<member><name>a</name><value>1</value></member>" +
        "<member><name>a</name><value>2</value></member></struct></value>",
    );
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.entries(value as object)).toEqual([
      ["__proto__", "x"],
      ["a", "2"],
    ]);
  });

  it("reads a mark, ISO-8859-1 and US-ASCII, and Apache's namespace", () => {
    const inner = "<params><param><value>caf\u00e9</value></param></params></methodResponse>";
    const root = "<methodResponse xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'>";
    const latin = `<?xml version="1.0" encoding="ISO-8859-1"?>${root}${inner}`;
    expect(decodeResponse(Buffer.from(latin, "latin1"))).toEqual({ value: "café" });
    expect(decodeResponse(Buffer.from(`\ufeff${root}${inner}`))).toEqual({ value: "café" });
    const ascii = latin.replace("ISO-8859-1", "us-ascii");
    expect(reasonOf(Buffer.from(ascii, "latin1"))).toBe("bad-data");
    expect(decodeResponse(Buffer.from(ascii.replace("\u00e9", "e")))).toEqual({ value: "cafe" });
  });
});

describe("documents that are refused", () => {
  it.each([
    "<value><int></int></value>",
    "<value><int>1.0</int></value>",
    "<value><int>0x10</int></value>",
    "<value><int>2147483648</int></value>",
    "<value><i8>9223372036854775808</i8></value>",
    "<value><int>1</int>x</value>",
    "<value>x<int>1</int></value>",
    "<value><int>1</int><int>2</int></value>",
    "<value><boolean>true</boolean></value>",
    "<value><boolean>2</boolean></value>",
    "<value><double>nan</double></value>",
    "<value><double>inf</double></value>",
    "<value><double>Infinity</double></value>",
    "<value><double>1e999</double></value>",
    "<value><double>.</double></value>",
    "<value><base64>aGk</base64></value>",
    "<value><base64>aGl=</base64></value>",
    "<value><base64>a-_=</base64></value>",
    "<value><float>1</float></value>",
    "<value><Int>1</Int></value>",
    "<value><nil>x</nil></value>",
    "<value><dateTime.iso8601>yesterday</dateTime.iso8601></value>",
    "<value><array/></value>",
    "<value><struct><member/></struct></value>",
    "<value><struct><member><value/><name/></member></struct></value>",
    "<value>&nbsp;</value>",
    "<value>a & b</value>",
    "<value>&#0;</value>",
    "<value>&#xD800;</value>",
    "<value>&#x110000;</value>",
    "<value>&#xFFFF;</value>",
    "<value>a\u0001b</value>",
    "<value>]]></value>",
    "<value><!-- a -- b --></value>",
    "<value><![CDATA[x</value>",
    "<value><?php x ?></value>",
    "<value><int a='1'>1</int></value>",
    "<value></value><value></value>",
    "<value></param></value>",
    "<value><string>x</value></string>",
    "",
  ])("%s", (xml) => {
    expect(reasonOf(document(xml))).toBe("bad-data");
  });

  it.each([
    "",
    "hello",
    "<html></html>",
    "<methodResponse/>",
    "<methodResponse></methodResponse>",
    "<methodResponse><params/></methodResponse>",
    "<methodResponse><params></params></methodResponse>",
    "<methodResponse><fault><value>x</value></fault></methodResponse>",
    "<?xml version='1.0' encoding='utf-16'?><methodResponse/>",
    "<?xml version='1.0' encoding='utf-7'?><methodResponse/>",
    " <?xml version='1.0'?><methodResponse/>",
  ])("%s", (xml) => {
    expect(reasonOf(Buffer.from(xml))).toBe("bad-data");
  });

  it("refuses whatever is cut off or followed by more", () => {
    const whole = document("<value><array><data><value>a</value></data></array></value>");
    for (let length = 0; length < whole.length; length++) {
      expect(reasonOf(whole.subarray(0, length))).toBe("bad-data");
    }
    expect(reasonOf(Buffer.concat([whole, Buffer.from("\n<!-- fine -->\n")]))).toBe("accepted");
    expect(reasonOf(Buffer.concat([whole, Buffer.from("x")]))).toBe("bad-data");
    expect(reasonOf(Buffer.concat([whole, whole]))).toBe("bad-data");
  });

  it("refuses document types: neither entities that grow nor files are ever read", () => {
    const inner =
      "<methodResponse><params><param><value>&d;</value></param></params></methodResponse>";
    const laughs =
      '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;"><!ENTITY d "&c;&c;">]>';
    const file = '<!DOCTYPE x [<!ENTITY d SYSTEM "file:///etc/passwd">]>';
    for (const type of [laughs, file, "<!DOCTYPE x>"]) {
      expect(reasonOf(Buffer.from(`<?xml version='1.0'?>${type}${inner}`))).toBe("bad-data");
    }
  });

  it("says where", () => {
    expect(() => decode("<value>\n<in>1</in></value>")).toThrow(/unknown type <in>.*line 3/);
  });

  it("takes only names of methods", () => {
    const call = (name: string): Buffer =>
      Buffer.from(`<methodCall><methodName>${name}</methodName></methodCall>`);
    expect(decodeCall(call("a.b"))).toEqual({ method: "a.b", params: [] });
    for (const name of ["", " ", "a b", "a\n", "é", "x".repeat(513)]) {
      expect(() => decodeCall(call(name))).toThrow(FuncError);
    }
  });
});

describe("documents that cost too much", () => {
  const nested = (depth: number): Buffer =>
    document(
      "<value><array><data>".repeat(depth) + "<value/>" + "</data></array></value>".repeat(depth),
    );

  it("nest too deep", () => {
    expect(reasonOf(nested(127))).toBe("accepted");
    expect(reasonOf(nested(128))).toBe("too-large");
    expect(reasonOf(nested(100_000))).toBe("too-large");
    expect(reasonOf(document("<value><array><data>".repeat(100_000)))).toBe("too-large");
  });

  it("have too many bytes or values", () => {
    expect(reasonOf(document("<value>abc</value>"), { maxBytes: 20 })).toBe("too-large");
    const values = `<value><array><data>${"<value/>".repeat(100)}</data></array></value>`;
    expect(reasonOf(document(values), { maxElements: 100 })).toBe("too-large");
    expect(reasonOf(document(values), { maxElements: 101 })).toBe("accepted");
  });

  it("are read in time that grows with their size only", () => {
    const million = 1_000_000;
    expect(decode(`<value>${"&#65;".repeat(million)}</value>`)).toBe("A".repeat(million));
    expect(decode(`<value>${"&amp;".repeat(million)}</value>`)).toBe("&".repeat(million));
    expect(reasonOf(document(`<value>&#${"0".repeat(million)}</value>`))).toBe("bad-data");
    expect(reasonOf(document(`<value>${"<!---->".repeat(million)}</value>`))).toBe("accepted");
    expect(reasonOf(document(`<value>${"<![CDATA[]]>".repeat(million)}</value>`))).toBe("accepted");
    expect(reasonOf(document(`<value>${"<!--".repeat(million)}</value>`))).toBe("bad-data");
    expect(reasonOf(document(`<value>${" ".repeat(million)}<int>`))).toBe("bad-data");
    expect(reasonOf(document(`<value><int>${"9".repeat(million)}</int></value>`))).toBe("bad-data");
    expect(reasonOf(document(`<value><double>${"1".repeat(million)}x</double></value>`))).toBe(
      "bad-data",
    );
    expect(reasonOf(document(`<value><base64>${"= ".repeat(million)}</base64></value>`))).toBe(
      "bad-data",
    );
    expect(reasonOf(document(`<${"a".repeat(million)}>`))).toBe("bad-data");
  });
});

describe("dates", () => {
  it("are written only as they are read", () => {
    for (const text of ["yesterday", "123", "2026", "T"]) {
      expect(() => fromJson({ $dateTime: text })).toThrow(FuncError);
      expect(() => encodeResponse(new XmlRpcDateTime(text))).toThrow(FuncError);
    }
    expect(fromJson({ $dateTime: "20260131T12:00:00" })).toEqual(
      new XmlRpcDateTime("20260131T12:00:00"),
    );
  });
});
