import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../fixtures/localSshd";
import { endOverlord } from "../fixtures/overlordBundle";
import { buildPrograms, runProgram, type ProgramRun } from "../fixtures/programs";

/** In the place of ssh: runs everything here, and then does to the scripts' host what the test says. */
const FAKE_SSH = `#!/bin/sh
for word in "$@"; do
  [ "$word" = -G ] && { echo "hostname 127.0.0.1"; exit 0; }
  [ "$word" = -O ] && exit 0
  command=$word
done
[ -n "$FAKE_FLOOD" ] && { cat >/dev/null; exec dd if=/dev/zero bs=65536 >&"$FAKE_FLOOD"; }
script=$(mktemp "$FAKE_FOLDER/script.XXXXXX")
cat >"$script"
sh -c "$command" <"$script"
status=$?
grep -aq 'lines entry' "$script" && [ -n "$FAKE_DELETES" ] && rm -rf "$FAKE_DELETES"
rm -f "$script"
exit $status
`;

let root: string;
let data: string;
let victim: string;
let evil: string;
let before: string[];

function func(words: string[], env: NodeJS.ProcessEnv = {}): Promise<ProgramRun> {
  const path = `${join(root, "bin")}:${process.env["PATH"] ?? ""}`;
  const all = { PATH: path, FAKE_FOLDER: root, ...env };
  return runProgram(root, "func", ["--home", data, ...words], { env: all });
}

function add(host: string, words: string[], env: NodeJS.ProcessEnv = {}): Promise<ProgramRun> {
  const own = ["--node", process.execPath, "--no-service"];
  const asUser = process.getuid?.() === 0 ? [] : ["--user-unit"];
  return func(["add-host", host, ...own, ...asUser, ...words], env);
}

/** What is known of minions and how they are reached; what changes with every call is left out. */
function known(): string[] {
  const read = (name: string): string => readFileSync(join(data, name), "utf8");
  const records = /"(?:name|address|port|keyFingerprint|certificateSerial)": ?[^,}]*/g;
  return [read("hosts.json"), ...(read("inventory.json").match(records) ?? [])];
}

async function serials(): Promise<string[]> {
  const { stdout } = await func(["ca", "list", "--json"]);
  const { certificates } = JSON.parse(stdout) as {
    certificates: { name: string; serial: string; revoked?: object }[];
  };
  return certificates.map(({ name, serial, revoked }) => `${name} ${serial} ${String(!!revoked)}`);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fe-"));
  data = join(root, "data");
  victim = join(root, "victim");
  evil = join(root, "evil");
  mkdirSync(data, { mode: 0o700 });
  mkdirSync(join(root, "bin"));
  await writeFile(join(data, "overlord.yaml"), "connect_timeout: 1\n");
  await writeFile(join(root, "bin", "ssh"), FAKE_SSH, { mode: 0o755 });
  await buildPrograms(root);
  const port = String(await freePort());
  const added = await add("m1", ["--remote-home", victim, "--port", port]);
  expect(added.stderr).toContain("✓ m1 answers at 127.0.0.1");
});

beforeEach(async () => {
  await runProgram(root, "funcd", ["stop", "--home", evil]);
  await rm(evil, { recursive: true, force: true });
  mkdirSync(join(evil, "pki"), { recursive: true, mode: 0o700 });
  cpSync(join(victim, "pki", "minion.crt"), join(evil, "pki", "minion.crt"));
  before = [...known(), ...(await serials())];
});

afterAll(async () => {
  for (const home of [victim, evil]) await runProgram(root, "funcd", ["stop", "--home", home]);
  await endOverlord(data);
  await rm(root, { recursive: true, force: true });
});

async function expectUntouched(): Promise<void> {
  expect([...known(), ...(await serials())]).toEqual(before);
  expect(await func(["m1", "ping"])).toMatchObject({ status: 0 });
}

describe("a host that shows the certificate of another minion", () => {
  it("does not become that one, nor its address", async () => {
    const failed = await add("evil", ["--remote-home", evil, "--address", "127.0.0.2", "--yes"]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("evil says that it is the minion m1 already, not evil");
    expect(failed.stderr).toContain("--name m1");
    await expectUntouched();
  });

  it("and takes it away again does not either, whatever was agreed to", async () => {
    const port = String(await freePort());
    const words = ["--remote-home", evil, "--port", port, "--replace", "--yes"];
    const env = { FAKE_DELETES: join(evil, "pki") };
    const failed = await add("evil", words, env);
    expect(failed.status).toBe(1);
    expect(failed.stderr).not.toContain("as m1 (until");
    await expectUntouched();
  });

  it.each([
    ["shown", ""],
    ["taken away", "pki"],
  ])("and has no key to it is not that one by its name, %s", async (_, deletes) => {
    const env = deletes === "" ? {} : { FAKE_DELETES: join(evil, deletes) };
    const words = ["--name", "m1", "--remote-home", evil, "--replace", "--yes"];
    const failed = await add("evil", words, env);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("does not prove that it has the key");
    await expectUntouched();
  });
});

describe("a name that belongs to a minion", () => {
  const anew = async (words: string[]): Promise<ProgramRun> => {
    await rm(join(evil, "pki"), { recursive: true });
    return add("evil", ["--remote-home", evil, "--port", String(await freePort()), ...words]);
  };

  it("is not given to another key, unless somebody names it", async () => {
    const failed = await anew(["--name", "m1"]);
    expect(failed.stderr).toContain("There is already a minion m1, with another key");
    await expectUntouched();
    mkdirSync(join(evil, "pki"), { recursive: true });
    const unsaid = await anew(["--name", "m1", "--replace"]);
    expect(unsaid.stderr).toContain("nobody has said so");
    await expectUntouched();
  });

  it("is not what a host calls itself", async () => {
    await rm(join(evil, "pki"), { recursive: true });
    const failed = await add("127.0.0.1", ["--remote-home", evil]);
    expect(failed.stderr).toContain("127.0.0.1 is no name for a minion");
    await expectUntouched();
  });

  it("stays where it is reached while it does not answer elsewhere", async () => {
    const failed = await add("m1", ["--remote-home", victim, "--address", "192.0.2.1"]);
    expect(failed.stderr).toContain("this machine cannot get to 192.0.2.1");
    await expectUntouched();
    const moved = await add("m1", ["--remote-home", victim, "--address", "127.0.0.3"]);
    expect(moved.stderr).toContain("✓ m1 answers at 127.0.0.3");
    expect(known().join()).toContain("127.0.0.3");
  });

  it("goes to another key where somebody says so", async () => {
    const replaced = await anew(["--name", "m1", "--replace", "--yes"]);
    expect(replaced.stderr).toContain("✓ m1 answers at 127.0.0.1");
    expect(replaced.status).toBe(0);
    expect(await func(["m1", "ping"])).toMatchObject({ status: 0 });
  });
});

it.each(["1", "2"])("ends a host that floods its output %s", async (stream) => {
  const failed = await add("evil", ["--remote-home", evil], { FAKE_FLOOD: stream });
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain("prints far more than it was asked for");
});
