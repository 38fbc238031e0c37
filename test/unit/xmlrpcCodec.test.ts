import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { decodeCall, decodeResponse } from "../../server/wire/decode";
import { doubleText } from "../../server/wire/doubleText";
import { encodeCall, encodeFault, encodeResponse } from "../../server/wire/encode";
import { fromJson, toJson } from "../../server/wire/jsonValue";
import { asRemoteError, callErrorOf, remoteError } from "../../server/wire/remoteError";
import { RpcFault } from "../../server/wire/rpcFault";
import type { XmlRpcValue } from "../../server/wire/value";
import { XmlRpcDateTime, XmlRpcDouble } from "../../server/wire/value";
import type { JsonValue } from "../../server/protocol/value";
import { xmlRpcValue } from "../fixtures/arbitraryValue";

const CAPTURES = join(import.meta.dirname, "../fixtures/wire");

function responseTo(value: XmlRpcValue): XmlRpcValue {
  const answer = decodeResponse(encodeResponse(value));
  if (!("value" in answer)) throw new Error("a fault");
  return answer.value;
}

describe("a round trip", () => {
  it("of answers gives the same value", () => {
    fc.assert(
      fc.property(xmlRpcValue, (value) => {
        expect(isDeepStrictEqual(responseTo(value), value)).toBe(true);
      }),
    );
  });

  it("of calls gives the same method and parameters", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z_]{1,9}(\.[a-z_&<]{1,9}){1,3}$/),
        fc.array(xmlRpcValue, { maxLength: 4 }),
        (method, params) => {
          const call = decodeCall(encodeCall(method, params));
          expect(isDeepStrictEqual(call, { method, params })).toBe(true);
        },
      ),
    );
  });

  it("through JSON text gives the same value", () => {
    fc.assert(
      fc.property(xmlRpcValue, (value) => {
        const text = JSON.stringify(toJson(value));
        // JSON has no negative zero
        fc.pre(!/-0[,\]}.]/.test(encodeResponse(value).toString().replaceAll("<", ",")));
        expect(isDeepStrictEqual(fromJson(JSON.parse(text) as JsonValue), value)).toBe(true);
      }),
    );
  });

  it("of doubles is exact and has no exponent", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = doubleText(value);
        expect(text).toMatch(/^-?[0-9]+\.[0-9]+$/);
        expect(Object.is(Number(text), value)).toBe(true);
      }),
    );
    expect(doubleText(1e21)).toBe("1000000000000000000000.0");
    expect(doubleText(5e-7)).toBe("0.0000005");
  });
});

describe("what cannot travel as it is", () => {
  it.each(["\u0000", "a\u0001b", "\u001b[31m", "\ufffe", "\ud800"])(
    "text %j travels as the bytes of its UTF-8",
    (text) => {
      expect(responseTo(text)).toEqual(new Uint8Array(Buffer.from(text, "utf8")));
    },
  );

  it("is refused where there is no form for it", () => {
    const refused: unknown[] = [
      NaN,
      Infinity,
      new XmlRpcDouble(-Infinity),
      2n ** 63n,
      undefined,
      new Map(),
      new Date(),
      { "a\u0001": 1 },
      { a: undefined },
      () => 1,
    ];
    const cycle: XmlRpcValue[] = [];
    cycle.push(cycle);
    refused.push(cycle);
    for (const value of refused) {
      expect(() => encodeResponse(value as XmlRpcValue)).toThrow(FuncError);
    }
    expect(() => encodeCall("no spaces", [])).toThrow(FuncError);
  });

  it("faults carry any text", () => {
    expect(decodeResponse(encodeFault(4, "a\u0000<b>"))).toEqual({
      fault: { code: 4, message: "a\ufffd<b>" },
    });
  });
});

describe("the original's traffic", () => {
  const body = (text: string): Buffer =>
    Buffer.from(text.slice(text.indexOf("<?xml")).replace(/\n*$/, "\n"));

  it.each(readdirSync(CAPTURES))("%s is read, and means the same when written anew", (file) => {
    const [request = "", response] = readFileSync(join(CAPTURES, file), "utf8").split(
      "---- RESPONSE",
    );
    if (request.includes("<methodCall>")) {
      const { method, params } = decodeCall(body(request));
      expect(decodeCall(encodeCall(method, params))).toEqual({ method, params });
      expect(encodeCall(method, params).toString().replace(/\s+/g, "")).toBe(
        body(request).toString().replace(/\s+/g, ""),
      );
    }
    if (response === undefined) return;
    const answer = decodeResponse(body(response));
    const again = "value" in answer ? encodeResponse(answer.value) : undefined;
    if (again) expect(decodeResponse(again)).toEqual(answer);
  });

  it("has the values that are known", () => {
    const answer = (file: string): unknown => {
      const [, response = ""] = readFileSync(join(CAPTURES, file), "utf8").split("---- RESPONSE");
      return decodeResponse(body(response));
    };
    expect(answer("command_utf8.txt")).toEqual({ value: [0, "café", ""] });
    expect(answer("echo_none.txt")).toEqual({ value: null });
    expect(answer("job_status_finished.txt")).toEqual({ value: [1, 1795304350.2564] });
    expect(answer("acl_denied_fault.txt")).toEqual({
      fault: { code: 1, message: "<class 'func.minion.codes.AccessToMethodDenied'>:" },
    });
  });
});

const PYTHON = `
import base64, json, sys, xmlrpc.client as x
def j(v):
    if isinstance(v, bool) or v is None or isinstance(v, str): return v
    if isinstance(v, int): return v if abs(v) < 2**53 else {"$int": str(v)}
    if isinstance(v, float): return {"$double": v} if v.is_integer() else v
    if isinstance(v, x.Binary): return {"$base64": base64.b64encode(v.data).decode()}
    if isinstance(v, x.DateTime): return {"$dateTime": v.value}
    if isinstance(v, (list, tuple)): return [j(i) for i in v]
    d = {k: j(i) for k, i in v.items()}
    return {"$struct": d} if len(d) == 1 and next(iter(d)).startswith("$") else d
def p(v):
    if isinstance(v, float): return v
    if isinstance(v, list): return [p(i) for i in v]
    if not isinstance(v, dict): return v
    if list(v) == ["$base64"] and isinstance(v["$base64"], str): return x.Binary(base64.b64decode(v["$base64"]))
    if list(v) == ["$dateTime"]: return x.DateTime(v["$dateTime"])
    if list(v) == ["$double"]: return float(v["$double"])
    if list(v) == ["$struct"]: v = v["$struct"]
    return {k: p(i) for k, i in v.items()}
given = json.load(sys.stdin)
read = [j(x.loads(base64.b64decode(d), use_builtin_types=False)[0][0]) for d in given["documents"]]
written = [x.dumps((p(v),), methodresponse=True, allow_none=True) for v in given["values"]]
json.dump({"read": read, "written": written}, sys.stdout)
`;

describe("Python's xmlrpc.client", () => {
  it("reads what is written here, and writes what is read here", () => {
    const values = fc.sample(xmlRpcValue, 300);
    // Python writes no integers beyond 32 bits and leaves a bare "\\r", which XML reads as "\\n"
    const json = values.map(toJson);
    const writable = json.filter((value) => !/\\r|\$int|[0-9]{10}/.test(JSON.stringify(value)));
    const output = execFileSync("python3", ["-c", PYTHON], {
      input: JSON.stringify({
        documents: values.map((value) => encodeResponse(value).toString("base64")),
        values: writable,
      }),
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    const { read, written } = JSON.parse(output) as { read: JsonValue[]; written: string[] };
    const plain = (value: JsonValue): unknown => JSON.parse(JSON.stringify(value));
    expect(read.map((value) => JSON.stringify(plain(value)))).toEqual(
      json.map((value) => JSON.stringify(plain(value))),
    );
    const back = written.map((document) => {
      const answer = decodeResponse(Buffer.from(document));
      return "value" in answer ? JSON.stringify(toJson(answer.value)) : "fault";
    });
    expect(back).toEqual(writable.map((value) => JSON.stringify(value)));
  });
});

describe("JSON forms", () => {
  it("are those of the protocol", () => {
    expect(toJson(new Uint8Array([104, 105]))).toEqual({ $base64: "aGk=" });
    expect(toJson(new XmlRpcDateTime("20260131T12:00:00"))).toEqual({
      $dateTime: "20260131T12:00:00",
    });
    expect(toJson(9007199254740993n)).toEqual({ $int: "9007199254740993" });
    expect(toJson(new XmlRpcDouble(3))).toEqual({ $double: 3 });
    expect(toJson({ $double: 3 })).toEqual({ $struct: { $double: 3 } });
    expect(toJson({ $a: 1, b: 2 })).toEqual({ $a: 1, b: 2 });
  });

  it("that are malformed are refused", () => {
    const forms: JsonValue[] = [
      { $base64: "a" },
      { $dateTime: 3 },
      { $int: "x" },
      { $double: "3" },
      { $struct: [] },
      { $other: 1 },
    ];
    for (const form of forms) expect(() => fromJson(form)).toThrow(FuncError);
    let deep: JsonValue = 1;
    for (let i = 0; i < 10_000; i++) deep = [deep];
    expect(() => fromJson(deep)).toThrow(FuncError);
  });
});

describe("errors as values", () => {
  it("have 4 items, and are known with 2, 3 or 4", () => {
    expect(remoteError("exceptions.TypeError", "no", "trace")).toEqual([
      "REMOTE_ERROR",
      "exceptions.TypeError",
      "no",
      "trace",
    ]);
    expect(asRemoteError(["REMOTE_ERROR", "t", "m", "x"])).toEqual({
      type: "t",
      message: "m",
      trace: "x",
    });
    expect(asRemoteError(["REMOTE_ERROR", "t", "m"])).toEqual({
      type: "t",
      message: "m",
      trace: "",
    });
    expect(asRemoteError(["REMOTE_ERROR", "lost job"])).toEqual({
      type: "lost job",
      message: "lost job",
      trace: "",
    });
    expect(asRemoteError(["REMOTE_ERROR", "t", Buffer.from("a\u0001"), null])).toEqual({
      type: "t",
      message: "a\u0001",
      trace: "",
    });
    for (const value of [[], ["REMOTE_ERROR"], ["x", "y"], "REMOTE_ERROR", {}, [1, 2, 3, 4, 5]]) {
      expect(asRemoteError(value as XmlRpcValue)).toBeUndefined();
    }
  });

  it("name the type as the original does, and the host", () => {
    const peer = { name: "web1", address: "10.0.0.1", port: 51234 };
    expect(callErrorOf(new RpcFault(1, "x"), peer)).toMatchObject({
      type: "xmlrpclib.Fault",
      message: '<Fault 1: "x">',
    });
    const refused = new FuncError("refused", "it refused.", "Start it.", {
      cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
    });
    expect(callErrorOf(refused, peer)).toEqual({
      type: "socket.error",
      message: "[Errno 111] Connection refused: web1 (10.0.0.1:51234): it refused.",
      trace: "",
      nextStep: "Start it.",
    });
    expect(callErrorOf(new FuncError("timed-out", "web1 is slow"), peer)).toMatchObject({
      type: "socket.timeout",
      message: "(110, 'Operation timed out.'): web1 is slow",
    });
  });
});
