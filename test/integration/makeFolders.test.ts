import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFolders, makeFoldersSync } from "../../server/common/makeFolders";

const dist = join(process.cwd(), "dist");
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "func-folders-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** A program that hangs is killed: mkdir may spin where no signal but that ends it. */
function run(script: string, words: string[], home: string): { status: unknown; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [join(dist, script), ...words], {
    env: { ...process.env, FUNC_HOME: home },
    encoding: "utf8",
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  return { status, stderr };
}

const atOnce = (folder: string): Promise<void> =>
  new Promise((resolve) => {
    makeFoldersSync(folder);
    resolve();
  });

it.each([
  ["later", makeFolders],
  ["at once", atOnce],
])("makes what is missing, for this user alone (%s)", async (_name, make) => {
  const folder = join(root, "a", "b", "c");
  await make(folder);
  await make(folder);
  for (const path of [folder, join(root, "a")]) expect(statSync(path).mode & 0o777).toBe(0o700);
  await make("/");
  writeFileSync(join(root, "file"), "");
  await expect(make(join(root, "file"))).rejects.toThrow("file is no folder.");
  await expect(make(join(root, "file", "a"))).rejects.toThrow(/ENOTDIR.*file/);
  await Promise.all([1, 2, 3].map(() => make(join(root, "x", "y"))));
});

it("func, funcd and the overlord name a folder that cannot be, and end", () => {
  const nope = "/proc/nope/deep";
  const programs: [string, string[]][] = [
    ["func.js", ["*", "ping"]],
    ["overlord.js", ["--home", nope]],
    ["funcd.js", ["--home", nope]],
    ["funcd.js", ["--home", nope, "csr", "--name", "a"]],
  ];
  for (const [script, words] of programs) {
    const { status, stderr } = run(script, words, nope);
    expect({ script, status }).toEqual({ script, status: 1 });
    expect(stderr).toContain("/proc/nope");
    expect(stderr).not.toMatch(/^\s+at /m);
  }
});

it("func says that its data directory is a file", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  for (const words of [
    ["*", "ping"],
    ["overlord", "status"],
  ]) {
    const { status, stderr } = run("func.js", words, file);
    expect(status).toBe(1);
    expect(stderr).toMatch(/file is no folder\.\n.*FUNC_HOME/);
  }
});

it("a data directory of ours that others can enter is closed when the overlord starts", () => {
  const home = join(root, "home");
  mkdirSync(home);
  chmodSync(home, 0o755);
  run("func.js", ["overlord", "status"], home);
  run("func.js", ["jobs", "list"], home);
  const { mode } = statSync(home);
  run("func.js", ["overlord", "stop", "--force"], home);
  expect(mode & 0o777).toBe(0o700);
});
