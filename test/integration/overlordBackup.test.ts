import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { connectOverlord } from "../../server/client/connection";
import { endOverlord, overlordOptions } from "../fixtures/overlordBundle";
import { TestFleet } from "../fixtures/testFleet";

const PASSPHRASE = "correct horse ä battery";

let fleet: TestFleet;
let scratch: string;

beforeAll(async () => {
  fleet = await TestFleet.start(["node1"]);
  scratch = await mkdtemp(join(tmpdir(), "func-backup-"));
});

afterAll(async () => {
  for (const home of await readdir(scratch)) await endOverlord(join(scratch, home));
  await fleet.close();
  await rm(scratch, { recursive: true, force: true });
});

interface Run {
  status: number | null;
  text: string;
}

/** Runs the built func on a data directory, with `input` on its standard input. */
function func(home: string, words: string[], input = ""): Promise<Run> {
  const script = join(process.cwd(), "dist", "func.js");
  const child = spawn(process.execPath, [script, "--home", home, ...words]);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  child.stdin.on("error", () => undefined).end(input);
  return new Promise((resolve) => {
    child.once("close", (status) => {
      resolve({ status, text });
    });
  });
}

const at = (name: string): string => join(scratch, name);
const backup = (file: string): Promise<Run> =>
  func(fleet.home, ["overlord", "backup", at(file), "--stdin"], `${PASSPHRASE}\n`);

it("is one encrypted file that another machine goes on with", async () => {
  expect(await backup("fleet.backup")).toMatchObject({ status: 0 });
  expect((await stat(at("fleet.backup"))).mode & 0o777).toBe(0o600);
  const content = await readFile(at("fleet.backup"), "latin1");
  expect(content).toContain("func-overlord-backup");
  expect(content).not.toContain("PRIVATE KEY");
  const restored = await func(
    at("other"),
    ["overlord", "restore", at("fleet.backup"), "--stdin"],
    PASSPHRASE,
  );
  expect(restored).toMatchObject({ status: 0 });
  expect((await stat(join(at("other"), "ca", "ca.key"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(at("other"), "ca"))).mode & 0o777).toBe(0o700);
  expect(existsSync(join(at("other"), "lock"))).toBe(false);
  const call = await func(at("other"), ["node1", "call", "test", "echo", "hello"]);
  expect(call.text).toContain("hello");
  expect(call.status).toBe(0);
});

it("refuses a wrong passphrase, any damage, and to overwrite anything", async () => {
  expect(await backup("second.backup")).toMatchObject({ status: 0 });
  expect((await backup("second.backup")).text).toContain("exists already");
  const restore = (file: string, input: string): Promise<Run> =>
    func(at("none"), ["overlord", "restore", at(file), "--stdin"], input);
  expect((await restore("second.backup", "wrong")).text).toContain("passphrase is not");
  expect((await restore("second.backup", "")).text).toContain("empty");
  const content = await readFile(at("second.backup"));
  for (const place of [3, 100, content.length - 1]) {
    const damaged = Buffer.from(content);
    damaged[place] = (damaged[place] ?? 0) ^ 1;
    await writeFile(at("damaged.backup"), damaged);
    const { status, text } = await restore("damaged.backup", PASSPHRASE);
    expect(text).toMatch(/damaged|cannot be used/);
    expect(status).not.toBe(0);
  }
  await writeFile(at("damaged.backup"), content.subarray(0, content.length / 2));
  expect((await restore("damaged.backup", PASSPHRASE)).status).not.toBe(0);
  expect(existsSync(join(at("none"), "ca"))).toBe(false);
  await endOverlord(at("other"));
  const over = await func(
    at("other"),
    ["overlord", "restore", at("second.backup"), "--stdin"],
    PASSPHRASE,
  );
  expect(over.text).toContain("is an overlord's already");
  const replaced = await func(
    at("other"),
    ["overlord", "restore", at("second.backup"), "--stdin", "--replace"],
    PASSPHRASE,
  );
  expect(replaced.status).toBe(0);
  const aside = (await readdir(at("other"))).find((name) => name.startsWith("replaced-"));
  expect(await readdir(join(at("other"), aside ?? ""))).toEqual(
    expect.arrayContaining(["audit.log", "ca", "inventory.json"]),
  );
});

it("follows links, keeps what may be run, and leaves nothing out silently", async () => {
  await rename(join(fleet.home, "ca"), at("elsewhere"));
  await symlink(at("elsewhere"), join(fleet.home, "ca"));
  const triggers = join(fleet.home, "triggers", "sign", "post");
  await mkdir(triggers, { recursive: true, mode: 0o700 });
  await writeFile(join(triggers, "told"), "#!/bin/sh\n", { mode: 0o700 });
  expect(await backup("linked.backup")).toMatchObject({ status: 0 });
  const words = ["overlord", "restore", at("linked.backup"), "--stdin"];
  expect(await func(at("linked"), words, PASSPHRASE)).toMatchObject({ status: 0 });
  expect(existsSync(join(at("linked"), "ca", "ca.key"))).toBe(true);
  const told = join(at("linked"), "triggers", "sign", "post", "told");
  expect((await stat(told)).mode & 0o777).toBe(0o700);
  await symlink(at("nowhere"), join(fleet.home, "dangling"));
  const refused = await backup("dangling.backup");
  expect(refused.status).not.toBe(0);
  expect(refused.text).toContain(join(fleet.home, "dangling"));
  await rm(join(fleet.home, "dangling"));
});

it("leaves everything as it was where the disk is full", async () => {
  if (process.getuid?.() !== 0) throw new Error("only root can mount");
  expect(await backup("full.backup")).toMatchObject({ status: 0 });
  await mkdir(at("small"), { mode: 0o700 });
  const size = "size=40k,mode=700";
  execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", at("small")]);
  onTestFinished(() => void execFileSync("umount", [at("small")]));
  await writeFile(join(at("small"), "inventory.json"), "what was there");
  await writeFile(join(at("small"), "groups"), Buffer.alloc(20_000, "#"));
  const words = ["overlord", "restore", at("full.backup"), "--stdin", "--replace"];
  const run = await func(at("small"), words, PASSPHRASE);
  expect(run.status).not.toBe(0);
  expect(run.text).toContain("What was there is as it was");
  expect((await readdir(at("small"))).sort()).toEqual(["groups", "inventory.json"]);
});

it("without a passphrase says so, and is checked all the same", async () => {
  const made = await func(fleet.home, ["overlord", "backup", at("plain.backup"), "--unencrypted"]);
  expect(made.text).toContain("not encrypted");
  const content = await readFile(at("plain.backup"));
  content[content.length - 40] = (content[content.length - 40] ?? 0) ^ 1;
  await writeFile(at("plain.backup"), content);
  const restored = await func(at("plain"), ["overlord", "restore", at("plain.backup")]);
  expect(restored.text).toContain("checksum");
});

it("that moves the overlord leaves none behind, however often a client tries", async () => {
  fleet.connection.dispose();
  const ended = new AbortController();
  const options = overlordOptions(fleet.home, fleet.script);
  const tries = (async () => {
    while (!ended.signal.aborted) {
      const connection = await connectOverlord({ ...options, timeoutMs: 500 }).catch(
        () => undefined,
      );
      connection?.dispose();
    }
  })();
  onTestFinished(async () => {
    ended.abort();
    await tries;
  });
  const moved = await func(fleet.home, ["overlord", "move", at("moved"), "--stdin"], PASSPHRASE);
  expect(moved.status).toBe(0);
  const late = await func(fleet.home, ["node1", "ping"]);
  expect(late.status).toBe(1);
  expect(late.text).toContain("was moved to another machine");
});
