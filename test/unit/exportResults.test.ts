import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportText, type ExportFormat } from "../../extension/export/exportFormats";
import { readResults } from "../../extension/export/readResults";
import { writeWhole } from "../../extension/export/writeWhole";
import type { ResultReader } from "../../extension/results/resultParts";
import type { MinionResult } from "../../server/protocol/jobs";
import type { OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";

/** What the overlord keeps, by hash. */
const kept = new Map<string, Buffer>();
const results = new Map<string, MinionResult>();

const reader: ResultReader = {
  request: async (method: string, params: object) => {
    if (method === "outputs/read") {
      const { sha256, offset, length } = params as {
        sha256: string;
        offset: number;
        length: number;
      };
      const bytes = (kept.get(sha256) ?? Buffer.alloc(0)).subarray(offset, offset + length);
      return { base64: bytes.toString("base64"), bytes: bytes.length } as never;
    }
    return results.get((params as { minion: string }).minion) as never;
  },
};

function keep(bytes: Buffer, kind: OutputRef["kind"]): JsonValue {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  kept.set(sha256, bytes);
  return { $output: { sha256, bytes: bytes.length, kind, head: "" } };
}

async function exported(
  format: ExportFormat,
  isCommand: boolean,
  ...all: MinionResult[]
): Promise<string> {
  for (const result of all) results.set(result.minion, result);
  const { signal } = new AbortController();
  const names = all.map(({ minion }) => minion);
  const texts = exportText(format, readResults(reader, "j", names, signal), {
    reader,
    isCommand,
    signal,
  });
  let whole = "";
  for await (const text of texts) whole += text;
  return whole;
}

function ok(minion: string, value: JsonValue): MinionResult {
  return { minion, state: "succeeded", value, durationMs: 1_500 };
}

const refused: MinionResult = {
  minion: "c",
  state: "unreachable",
  error: { type: "socket.error", message: 'c "refused"', trace: "", nextStep: "Start it." },
};

describe("an export", () => {
  it("has large outputs whole and in their place as JSON", async () => {
    const text = `${'"quoted" \\ \n𝄞 ü '.repeat(200_000)}\u0000end`;
    const bytes = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => at % 251));
    const struct = { deep: [keep(bytes, "bytes")] };
    const file = await exported(
      "json",
      true,
      ok("a", [0, keep(Buffer.from(text), "text"), ""]),
      ok("b", struct),
      refused,
    );
    const [a, b, c] = JSON.parse(file) as { value: never[] & { deep: { $base64: string }[] } }[];
    expect(a).toEqual({ minion: "a", state: "succeeded", durationMs: 1_500, value: [0, text, ""] });
    const decoded = Buffer.from(b?.value.deep[0]?.$base64 ?? "", "base64");
    expect(decoded.equals(bytes)).toBe(true);
    expect(c).toEqual(refused);
  });

  it("opens values that are kept as JSON, with outputs in them", async () => {
    const inner = { list: [1, 2], text: keep(Buffer.from("long"), "text") };
    const value = keep(Buffer.from(JSON.stringify(inner)), "json");
    const [a] = JSON.parse(await exported("json", false, ok("a", value))) as { value: unknown }[];
    expect(a?.value).toEqual({ list: [1, 2], text: "long" });
  });

  it("leaves a host's own struct alone that looks like a mark", async () => {
    const value = { $struct: { $output: { sha256: "x", bytes: 1, kind: "text", head: "" } } };
    const [a] = JSON.parse(await exported("json", false, ok("a", value))) as { value: unknown }[];
    expect(a?.value).toEqual(value);
  });

  it("is an empty array of nothing", async () => {
    expect(JSON.parse(await exported("json", false))).toEqual([]);
  });

  it("quotes everything as CSV", async () => {
    const large = keep(Buffer.from('a "b",\nc\n'), "text");
    const file = await exported("csv", true, ok("a", [3, large, "err"]), refused);
    expect(file.split("\r\n")).toEqual([
      '"minion","state","exit status","seconds","result","stderr","problem"',
      '"a","succeeded",3,1.500,"a ""b"",\nc\n","err",',
      '"c","unreachable",,,,,"c ""refused""\nStart it."',
      "",
    ]);
  });

  it("lets no output be a spreadsheet's formula", async () => {
    const formula = '=HYPERLINK("http://evil","x")';
    for (const text of [formula, "+1+2", "-x", "@SUM(1)", "\t=1", "-2.5\n", "7"]) {
      const [, row] = (await exported("csv", true, ok("a", [0, text, ""]))).split("\r\n");
      const mark = ["-2.5\n", "7"].includes(text) ? "" : "'";
      expect(row).toBe(`"a","succeeded",0,1.500,"${mark}${text.replaceAll('"', '""')}",,`);
    }
  });

  it("is to be read as text", async () => {
    const file = await exported("text", true, ok("a", [0, "out", ""]), refused);
    expect(file).toBe(
      "===== a: succeeded =====\n--- Output (stdout)\nout\nExit status: 0\n\n" +
        '===== c: unreachable =====\nProblem: c "refused"\nWhat to do: Start it.\nError: socket.error\n\n',
    );
  });
});

describe("the file", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "func-export-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function* pieces(
    count: number,
    then: () => void = () => undefined,
  ): AsyncGenerator<string> {
    for (let at = 0; at < count; at++) yield `${at}\n`.repeat(10_000);
    then();
  }

  it("replaces an older one when it is whole", async () => {
    const path = join(folder, "out.txt");
    writeFileSync(path, "old");
    await writeWhole(path, pieces(30), new AbortController().signal);
    expect(readFileSync(path, "utf8")).toHaveLength(2 * 100_000 + 3 * 200_000);
    expect(readdirSync(folder)).toEqual(["out.txt"]);
  });

  it("stays as it was where something fails, and where the user cancels", async () => {
    const path = join(folder, "out.txt");
    writeFileSync(path, "old");
    const fail = (): void => {
      throw new Error("gone");
    };
    await expect(writeWhole(path, pieces(30, fail), new AbortController().signal)).rejects.toThrow(
      "gone",
    );
    const cancel = new AbortController();
    const cancelled = writeWhole(
      path,
      pieces(30, () => cancel.abort()),
      cancel.signal,
    );
    await expect(cancelled).rejects.toThrow();
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["out.txt"]);
  });
});
