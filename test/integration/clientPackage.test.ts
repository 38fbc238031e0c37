import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RealFleet } from "../fixtures/realFleet";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

let fleet: RealFleet;
let folder: string;

/** Packs what dist/ holds, and installs it as anybody would, without any network. */
beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add("node1", "node2");
  folder = await mkdtemp(join(tmpdir(), "func-installed-"));
  const npm = { cwd: folder, env: { ...process.env, npm_config_cache: join(folder, "cache") } };
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder, root], npm);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  const flags = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...flags, `./${String(tarball)}`], npm);
}, 180_000);
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

async function node(...words: string[]): Promise<string> {
  const env = { ...process.env, FUNC_HOME: fleet.data };
  const { stdout } = await run(process.execPath, words, { cwd: folder, env });
  return stdout;
}

it("the example runs as it stands, and its process ends by itself", async () => {
  const example = await readFile(join(root, "docs", "examples", "async.mjs"));
  await writeFile(join(folder, "async.mjs"), example);
  const lines = (await node("async.mjs")).split("\n");
  expect(lines[0]).toMatch(/^code (0 undefined|3 \[.*\])$/);
  const host = (await run("hostname", [])).stdout;
  const result = [0, host, ""];
  expect(lines.at(-2)).toBe(JSON.stringify([1, { node1: result, node2: result }]));
  expect(lines.filter((line) => /^node[12] \[/.test(line))).toHaveLength(2);
});

it("CommonJS programs can have it too", async () => {
  await writeFile(
    join(folder, "program.cjs"),
    `const { Overlord, RemoteError } = require("func-overlord/client");
     new Overlord("node1").test.explode().then(({ node1 }) => console.log(node1 instanceof RemoteError));`,
  );
  expect(await node("program.cjs")).toBe("true\n");
});

it("its programs run, and nothing else of it can be imported", async () => {
  const func = join(folder, "node_modules", ".bin", "func");
  const { stdout } = await run(func, ["--home", fleet.data, "*", "list_minions"]);
  expect(stdout).toBe("node1\nnode2\n");
  await expect(node("--input-type=module", "-e", 'await import("func-overlord")')).rejects.toThrow(
    "ERR_PACKAGE_PATH_NOT_EXPORTED",
  );
  expect(
    (await readdir(join(folder, "node_modules"))).filter((name) => !name.startsWith(".")),
  ).toEqual(["func-overlord"]);
});
