import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { buildPrograms, runProgram, type ProgramRun } from "../fixtures/programs";

const KEY = "ab".repeat(32);

let root: string;
let home: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "funcd-acl-"));
  await buildPrograms(root, ["funcd"]);
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  home = await mkdtemp(join(root, "home-"));
  await mkdir(join(home, "acls"));
  await writeFile(
    join(home, "acls", "ops.acl.yaml"),
    `allow:
  - roles: [operator]
    names: [alice]
    methods: [test.ping, "comand.*"]
  - roles: [operator]
    names: [deploy]
    keys: [${KEY}]
    methods: [command.run]
    arguments: { 1: systemctl restart web }
`,
  );
  await writeFile(
    join(home, "acls", "old.acl"),
    "# from the original\nweb1-77 = test.add frob.*\n",
  );
});

const funcd = (...words: string[]): Promise<ProgramRun> =>
  runProgram(root, "funcd", [...words, "--home", home]);
const check = (...words: string[]): Promise<ProgramRun> => funcd("acl", "check", ...words);

it("says whether a call would be allowed, and by which rule", async () => {
  const rules = join(home, "acls", "ops.acl.yaml");
  for (const [words, answer, status] of [
    [["operator", "alice", "test.ping"], `allowed by ${rules}:2\n`, 0],
    [["operator", "alice", "async.test.ping"], `allowed by ${rules}:2\n`, 0],
    [["operator", "alice", "command.run", "uptime"], "denied: no access rule allows", 1],
    [["operator", "bob", "test.ping"], "denied: no access rule allows operator bob", 1],
    [["overlord", "boss", "command.run", "uptime"], "allowed by the preset full\n", 0],
    [["operator", "deploy", "command.run", "systemctl restart web", "--key", KEY], ":5\n", 0],
    [["operator", "deploy", "command.run", "systemctl restart web"], "denied", 1],
    [["operator", "deploy", "command.run", "reboot", "--key", KEY], "denied", 1],
    [["operator", "x", "test.add", "--subject", "web1-77"], "old.acl:2\n", 0],
    [["overlord", "boss", "comand.run"], "There is no method comand.run here.\n", 0],
  ] as const) {
    const run = await check(...words);
    expect({ words, ...run }).toMatchObject({
      status,
      stdout: expect.stringContaining(answer) as string,
      stderr: "",
    });
  }
  const told = await check("--json", "operator", "alice", "test.ping");
  expect(JSON.parse(told.stdout)).toMatchObject({ allowed: true, by: `${rules}:2` });
});

it("names rules for what is not here, and what is wrong, also with the status", async () => {
  const file = join(home, "acls", "ops.acl.yaml");
  const idle = await check();
  expect(idle.status).toBe(0);
  expect(idle.stdout).toBe(
    `warning: ${join(home, "acls", "old.acl")}:2: this minion has no method "frob.*"\n` +
      `warning: ${file}:4: this minion has no method "comand.*"\n`,
  );
  expect((await funcd("status")).stdout).toContain(`warning: ${file}:4: `);

  await writeFile(file, "allow:\n  - roles: [operator]\n    method: [test.ping]\n");
  const wrong = `access rules wrong, calls are denied: ${file}:3: unknown key "method"`;
  expect((await funcd("status")).stdout).toContain(wrong);
  const status = JSON.parse((await funcd("status", "--json")).stdout) as { access: unknown };
  expect(status.access).toMatchObject({ problem: expect.stringContaining(`${file}:3`) as string });
  expect(await check()).toMatchObject({
    status: 1,
    stdout: expect.stringContaining(wrong) as string,
  });
  const call = await check("overlord", "boss", "command.run", "uptime");
  expect(call.status).toBe(1);
  expect(await check("overlord", "boss", "test.ping")).toMatchObject({ status: 0 });

  await rm(join(home, "acls"), { recursive: true });
  expect(await check()).toMatchObject({ status: 0, stdout: "The access rules are right.\n" });
});

it("says what it needs", async () => {
  for (const words of [
    ["acl"],
    ["acl", "frob"],
    ["acl", "check", "operator"],
    ["acl", "check", "minion", "web1", "test.ping"],
    ["acl", "check", "operator", "alice", "test.ping", "--key", "ab"],
    ["status", "--key", KEY],
  ]) {
    const run = await funcd(...words);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain("funcd: ");
  }
  expect(
    (await runProgram(root, "funcd", ["acl", "check", "--home", "/nowhere"])).stderr,
  ).toContain("/nowhere cannot be read");
});
