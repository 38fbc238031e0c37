import {
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuditChain } from "../../server/common/auditChain";
import { readAudit } from "../../server/common/auditRead";
import { auditLine, reportText, sinceTime } from "../../server/common/auditText";
import { verifyAudit } from "../../server/common/auditVerify";
import { MAX_LINE_BYTES } from "../../server/common/chainLine";
import { createLog, silentLog } from "../../server/common/log";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-"));
  file = join(folder, "audit.log");
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Writes one line for each text, as one life of the process. */
async function write(texts: readonly string[], maxBytes?: number): Promise<void> {
  const chain = new AuditChain(file, silentLog, maxBytes);
  for (const text of texts) await chain.append({ text });
  await chain.flush();
}

function hashOf(line: string): string {
  return (JSON.parse(line) as { hash: string }).hash;
}

async function texts(): Promise<unknown[]> {
  return (await readAudit(file, { limit: 1_000 })).map(({ fields }) => fields["text"]);
}

describe("the chain of an audit log", () => {
  it("goes on over restarts, and tells where it ends", async () => {
    await write(["one", "two"]);
    await write(["three"]);
    const report = await verifyAudit(file);
    expect(report).toMatchObject({ ok: true, files: 1, lines: 3, firstSeq: 1, lastSeq: 3 });
    expect(report.recovered).toEqual([]);
    const last = JSON.parse((await readFile(file, "utf8")).trimEnd().split("\n").at(-1) ?? "") as {
      hash: string;
    };
    expect(report.lastHash).toBe(last.hash);
    expect(await texts()).toEqual(["one", "two", "three"]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(`${file}.head`)).mode & 0o777).toBe(0o600);
  });

  it("finds any byte that is changed, in the file and line where it is", async () => {
    await write(["one", 'two "quoted" é\u009b', "three"]);
    const good = await readFile(file);
    const starts = [0];
    for (let at = 0; at < good.length; at++) if (good[at] === 10) starts.push(at + 1);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (good[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(file, bad);
      const { ok, problem } = await verifyAudit(file);
      const line = starts.filter((start) => start <= at).length;
      if (ok || problem?.file !== file || problem.line !== line) {
        throw new Error(`byte ${at} in line ${line}: ${JSON.stringify(problem)}`);
      }
    }
  });

  it("finds lines that are removed, doubled, inserted, or in another order", async () => {
    await write(["one", "two", "three", "four"]);
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const [one = "", two = "", three = "", four = ""] = lines;
    const cases: [string[], number][] = [
      [[two, three, four], 1],
      [[one, three, four], 2],
      [[one, two, two, three, four], 3],
      [[one, three, two, four], 2],
      [[one, two, "", three, four], 3],
      [[one, two, '{"seq":3}', three, four], 3],
    ];
    for (const [changed, line] of cases) {
      await writeFile(file, `${changed.join("\n")}\n`);
      expect(await verifyAudit(file)).toMatchObject({ ok: false, problem: { file, line } });
    }
    await writeFile(file, `${[one, two].join("\n")}\n`);
    expect(await verifyAudit(file)).toMatchObject({
      ok: false,
      lines: 2,
      problem: { file: `${file}.head`, line: 0, reason: "lines 3 to 4 are missing" },
    });
    await writeFile(file, "");
    expect(await verifyAudit(file)).toMatchObject({ ok: false, lines: 0 });
    await unlink(file);
    expect(await verifyAudit(file)).toMatchObject({ ok: false, files: 0 });
  });

  it("repairs a last line that was cut at any byte, and says so", async () => {
    await write(["one", "two"]);
    const good = await readFile(file);
    const head = await readFile(`${file}.head`);
    const last = good.indexOf(10) + 1;
    for (let size = last; size < good.length; size++) {
      await writeFile(file, good.subarray(0, size));
      await writeFile(`${file}.head`, head);
      expect((await verifyAudit(file)).ok).toBe(false);
      await write(["three"]);
      const { ok, recovered, findings, lines } = await verifyAudit(file);
      // half a line is what a crash leaves; a whole one that had been noted is not
      if (ok !== size > last || recovered.length !== 1 || findings.length !== Number(!ok)) {
        throw new Error(`cut after ${size} bytes`);
      }
      const whole = size === good.length - 1;
      expect(lines).toBe(whole ? 4 : 3);
      expect(recovered[0]?.what).toContain(
        whole ? "was not ended" : size === last ? "lines 2 to 2 are lost" : `${size - last} bytes`,
      );
      expect(await texts()).toContain("three");
    }
  });

  it("still tells after a restart, and another, that lines were cut from its end", async () => {
    await write(["one", "two", "three", "four", "five"]);
    const lines = (await readFile(file, "utf8")).split("\n");
    for (const half of ["", (lines[2] ?? "").slice(0, 20)]) {
      await writeFile(file, `${lines.slice(0, 2).join("\n")}\n${half}`);
      await writeFile(`${file}.head`, `5 ${hashOf(lines[4] ?? "")}\n`);
      await write(["six"]);
      await write(["seven"]);
      const report = await verifyAudit(file);
      const reason =
        "lines 3 to 5 are missing: they were gone when funcd or the overlord began anew";
      expect(report).toMatchObject({ ok: false, lines: 5, lastSeq: 8 });
      expect(report.findings).toEqual([{ file, line: 3, reason }]);
      expect(report.problem).toEqual({ file, line: 3, reason });
      const told = reportText(report);
      expect(told).toContain(`${file}:3: ${reason}\n`);
      expect(told).toContain("The other lines, 1 to 8, are as they were written.\n");
      expect(told).not.toContain("whole");
    }
  });

  it("still tells after a restart that the note of its last line was taken away", async () => {
    for (const damage of [() => rm(`${file}.head`), () => writeFile(`${file}.head`, "")]) {
      await write(["one", "two"]);
      await damage();
      expect((await verifyAudit(file)).ok).toBe(false);
      await write(["three"]);
      const report = await verifyAudit(file);
      expect(report).toMatchObject({ ok: false, lines: 4 });
      expect(report.findings[0]?.reason).toMatch(/^the note of the last line was (gone|damaged)/);
      await rm(folder, { recursive: true });
    }
  });

  it("has a note of its end from its first line on, and never half a note", async () => {
    const chain = new AuditChain(file, silentLog);
    const written = chain.append({ text: "one" });
    for (let size = 0; size === 0;) {
      size = (await readFile(file, "utf8").catch(() => "")).length;
      if (size > 0) expect(await readFile(`${file}.head`, "utf8")).toMatch(/^\d+ [0-9a-f]{64}\n$/);
    }
    await written;
    await chain.flush();
    expect(await readdir(folder)).toEqual(["audit.log", "audit.log.head"]);
  });

  it("keeps the chain over its files, and drops the oldest", async () => {
    const all = Array.from({ length: 40 }, (_, at) => `line ${at}`);
    await write(all.slice(0, 20), 700);
    await write(all.slice(20), 700);
    await expect(stat(`${file}.5`)).rejects.toThrow("ENOENT");
    const report = await verifyAudit(file);
    expect(report).toMatchObject({ ok: true, files: 5, lastSeq: 40 });
    expect(report.firstSeq).toBe(40 - report.lines + 1);
    expect(await texts()).toEqual(all.slice(-report.lines));
    await rm(`${file}.2`);
    expect(await verifyAudit(file)).toMatchObject({
      ok: false,
      problem: { file: `${file}.4`, line: 1 },
    });
  });

  it("goes on where its file was emptied, lost or damaged, and says so", async () => {
    await write(["one", "two"]);
    await truncate(file, 0);
    await write(["three"]);
    expect((await verifyAudit(file)).problem).toMatchObject({ file, line: 1 });
    await rm(folder, { recursive: true });
    await write(["one", "two"]);
    const good = await readFile(file, "utf8");
    await writeFile(file, good.replace('"two"', '"2wo"'));
    await write(["three"]);
    expect((await verifyAudit(file)).problem).toMatchObject({ file, line: 2 });
    expect(await texts()).toContain("three");
    await rm(folder, { recursive: true });
    await write(["one"]);
    await rm(`${file}.head`);
    expect((await verifyAudit(file)).ok).toBe(false);
    await write(["two"]);
    expect((await verifyAudit(file)).recovered).toMatchObject([
      { what: "the note of the last line was gone" },
    ]);
  });

  it("counts what cannot be written, goes on, and tells of it in the file", async () => {
    const told: string[] = [];
    const log = createLog((line) => told.push(line));
    const chain = new AuditChain("/dev/full/audit.log", log);
    await chain.append({ text: "lost" });
    expect(chain.lost).toBe(1);
    const blocked = new AuditChain(join(file, "audit.log"), log);
    await writeFile(file, "in the way of the folder");
    await Promise.all([blocked.append({ text: "one" }), blocked.append({ text: "two" })]);
    expect(blocked.lost).toBe(2);
    expect(told.join("")).toContain("the audit log cannot be written");
    await rm(file);
    await blocked.append({ text: "three" });
    await blocked.flush();
    const report = await verifyAudit(join(file, "audit.log"));
    expect(report).toMatchObject({ ok: true, lines: 2 });
    expect(report.recovered[0]?.what).toBe("2 lines before it could not be written");
  });

  it("never writes a line that is too long to be read again", async () => {
    await write(["x".repeat(MAX_LINE_BYTES), "next"]);
    expect(await verifyAudit(file)).toMatchObject({ ok: true, lines: 2 });
    expect(
      Math.max(...(await readFile(file, "utf8")).split("\n").map((l) => l.length)),
    ).toBeLessThan(MAX_LINE_BYTES);
  });

  it("is read from a line on, from a time on, or at its end", async () => {
    await write(
      Array.from({ length: 30 }, (_, at) => `line ${at}`),
      2_000,
    );
    const seqs = async (range: Parameters<typeof readAudit>[1]): Promise<unknown[]> =>
      (await readAudit(file, range)).map(({ seq }) => seq);
    expect(await seqs({ limit: 3 })).toEqual([28, 29, 30]);
    expect(await seqs({ fromSeq: 25, limit: 3 })).toEqual([25, 26, 27]);
    expect(await seqs({ fromSeq: 31, limit: 3 })).toEqual([]);
    expect(await seqs({ sinceMs: Date.now() + 60_000, limit: 3 })).toEqual([]);
    expect((await seqs({ sinceMs: Date.now() - 60_000, limit: 1_000 })).at(-1)).toBe(30);
    expect(await readAudit(join(folder, "none"), { limit: 3 })).toEqual([]);
  });
});

describe("an audit log for people", () => {
  it("is shown as ASCII that no terminal obeys", async () => {
    const chain = new AuditChain(file, silentLog);
    await chain.append({
      event: "calls/start",
      spec: "web*\u001b[31m\u202e",
      args: ["a b"],
      outcome: "ok",
    });
    const [record] = await readAudit(file, { limit: 1 });
    if (!record) throw new Error("nothing was written");
    expect(auditLine(record)).toBe(
      `1 ${record.time} calls/start spec="web*\\u001b[31m\\u202e" args=["a b"]: ok`,
    );
    expect(auditLine({ fields: { damaged: "\u009bx" } })).toBe('(damaged) "\\u009bx"');
    expect(reportText(await verifyAudit(file))).toContain("is whole: lines 1 to 1 in 1 file.");
    await truncate(file, 20);
    expect(reportText(await verifyAudit(file))).toContain(`${file}:1: the line is cut`);
  });

  it("is asked for by a time or a span", () => {
    expect(sinceTime("2h", 10_000_000)).toBe(10_000_000 - 7_200_000);
    expect(sinceTime("2026-11-22")).toBe(Date.UTC(2026, 10, 22));
    for (const text of ["", "2", "h", "yesterday", "12345678d", "2026-13-01"]) {
      expect(sinceTime(text)).toBeUndefined();
    }
  });
});
