import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AuditChain } from "../../server/common/auditChain";
import { silentLog } from "../../server/common/log";
import { buildOverlord, endOverlord } from "../fixtures/overlordBundle";
import { buildPrograms, programScript } from "../fixtures/programs";

const OLD_LINES = 2_500;

let root: string;
let home: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "func-audit-"));
  home = join(root, "data");
  await mkdir(home, { mode: 0o700 });
  await buildOverlord(root);
  await buildPrograms(root, ["func"]);
  const chain = new AuditChain(join(home, "audit.log"), silentLog);
  const lines = Array.from({ length: OLD_LINES }, (_, at) => chain.append({ event: `old ${at}` }));
  await Promise.all(lines);
  await chain.flush();
});

afterAll(async () => {
  await endOverlord(home);
  await rm(root, { recursive: true, force: true });
});

function func(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const all = [programScript(root, "func"), ...words, "--home", home];
    const options = { maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(process.execPath, all, options, (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
  });
}

function numbers(out: string): number[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => Number.parseInt(line, 10));
}

it("shows the last lines, any number of them, or all since a time", async () => {
  expect((await func("group", "add", "web", "web1")).code).toBe(0);
  const last = OLD_LINES + 1;
  const one = await func("audit", "show", "--last", "1");
  expect(one.out).toMatch(/^2501 \S+ groups\/edit user=\S+ client=cli .*add=\["web1"\].*: ok\n$/);
  expect(numbers((await func("audit", "show")).out)).toHaveLength(50);
  const from = last - 1_500 + 1;
  expect(numbers((await func("audit", "show", "--last", "1500")).out)).toEqual(
    Array.from({ length: 1_500 }, (_, at) => from + at),
  );
  expect(numbers((await func("audit", "show", "--since", "1d")).out)).toEqual(
    Array.from({ length: last }, (_, at) => at + 1),
  );
  const none = await func("audit", "show", "--since", "2999-01-01");
  expect(none).toMatchObject({ code: 0, out: "", err: "Nothing yet.\n" });
  const json = await func("audit", "show", "--last", "1", "--json");
  expect(JSON.parse(json.out)).toMatchObject({ seq: last, event: "groups/edit", name: "web" });
});

it("verifies the log, and tells what is wrong with it", async () => {
  const whole = await func("audit", "verify");
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.out).toContain("The audit log is whole: lines 1 to 2501 in 1 file.");
  const file = join(home, "audit.log");
  const good = await readFile(file, "utf8");
  await writeFile(file, good.replace('"old 7"', '"old 8"'));
  const broken = await func("audit", "verify");
  expect(broken).toMatchObject({ code: 1 });
  expect(broken.out).toBe(
    `${file}:8: the line is not as it was written\nBefore that, lines 1 to 7 are as they were written.\n`,
  );
  expect((await func("audit", "show", "--since", "1d")).out).toContain("(damaged) ");
});

it("goes on without its log, and says what stands in its place", async () => {
  const file = join(home, "audit.log");
  await rename(file, join(root, "moved"));
  await mkdir(file);
  expect((await func("group", "add", "db", "db1")).code).toBe(0);
  const show = await func("audit", "show");
  expect(show.code).toBe(1);
  expect(show.err).toContain(`${file} cannot be read`);
  const verify = await func("audit", "verify");
  expect(verify.code).toBe(1);
  expect(verify.out).toContain(`${file}: it cannot be read`);
  expect(await readFile(join(home, "overlord.log"), "utf8")).toContain(
    "the audit log cannot be written",
  );
});
