import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../server/common/log";
import { Triggers } from "../../server/pki/certmaster/triggers";
import { CertmasterLab, enrol } from "../fixtures/certmasterLab";

let lab: CertmasterLab;
let root: string;
let logged: string;

beforeEach(async () => {
  lab = await CertmasterLab.open();
  root = join(lab.home, "triggers");
  logged = "";
});
afterEach(() => lab.close());

const log = createLog((line) => (logged += line));
const record = () => join(lab.home, "record");
const recorded = async () => readFile(record(), "utf8").catch(() => "");

/** A shell script; `$1` is the name of the host. */
async function put(place: string, script: string, mode = 0o700): Promise<string> {
  const file = join(root, place);
  await mkdir(join(file, ".."), { recursive: true, mode: 0o700 });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, mode);
  return file;
}

async function token(): Promise<string> {
  return (await lab.certmaster.createToken({})).token;
}

describe("the certmaster's triggers", () => {
  it("run in order around an enrolment, with the name as their only argument", async () => {
    const note = (what: string) => `echo ${what} "$#" "$1" >> '${record()}'`;
    await put("request/pre/10-first", note("request-pre-1"));
    await put("request/pre/20-second", note("request-pre-2"));
    await put("request/pre/20-second.rpmsave", "exit 1");
    await put("request/pre/.hidden", "exit 1");
    await put("sign/pre/a", note("sign-pre"));
    await put("sign/post/a", note("sign-post"));
    await put("request/post/a", note("request-post"));
    await enrol(await token(), "Web1");
    await expect.poll(recorded).toMatch(/request-post/);
    await expect.poll(recorded).toMatch(/sign-post/);
    const lines = (await recorded()).trim().split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "request-pre-1 1 web1",
      "request-pre-2 1 web1",
      "sign-pre 1 web1",
    ]);
    expect(lines.slice(3).sort()).toEqual(["request-post 1 web1", "sign-post 1 web1"]);
  });

  it("refuse with their own name, and leave the token as it was", async () => {
    await put("request/pre/policy", `[ "$1" = web1 ]`);
    const text = await token();
    await expect(enrol(text, "db1")).rejects.toMatchObject({
      reason: "denied",
      message: expect.stringContaining("request/pre/policy refuses db1: exit status 1") as string,
    });
    expect((await enrol(text, "web1")).name).toBe("web1");
    expect(lab.enrolled.map(({ name }) => name)).toEqual(["web1"]);
  });

  it("get nothing of the overlord's environment and no input", async () => {
    process.env["FUNC_SECRET_OF_TEST"] = "secret";
    await put("request/pre/look", `env > '${record()}'; cat >> '${record()}'`);
    await enrol(await token(), "web1");
    delete process.env["FUNC_SECRET_OF_TEST"];
    const names = (await recorded()).split("\n").map((line) => line.split("=")[0]);
    expect(names).toContain("PATH");
    expect(
      names.filter((name) => name && !/^(PATH|LANG|HOME|PWD|SHLVL|_|OLDPWD)$/.test(name)),
    ).toEqual([]);
  });

  it("that hang are ended with all they started, and hold up nobody else", async () => {
    const file = await put(
      "request/pre/hangs",
      `[ "$1" != slow ] && exit 0; sleep 600 & echo $! > '${record()}'; wait`,
    );
    const triggers = new Triggers(root, log, 1500);
    const slow = triggers.before("request", "slow");
    await expect.poll(recorded).toMatch(/\d/);
    await triggers.before("request", "web1"); // while the other hangs
    expect(logged).toBe("");
    await expect(slow).rejects.toThrow(
      "request/pre/hangs refuses slow: it did not end within 1.5 s",
    );
    expect(logged).toContain(file);
    const pid = Number(await recorded());
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("that fail afterwards are logged only", async () => {
    await put("request/post/breaks", "echo no luck; exit 3");
    await new Triggers(root, log).after("request", "web1");
    expect(logged).toContain("exit status 3");
    expect(logged).toContain("no luck");
  });

  it("refuse everything where others could have put them there, without telling strangers", async () => {
    const file = await put("request/pre/shared", "exit 0", 0o777);
    const refused = (): Promise<void> => new Triggers(root, log).before("request", "web1");
    await expect(refused()).rejects.toThrow("can be written by others");
    const answer: unknown = await enrol(await token(), "web1").catch((error: unknown) => error);
    expect((answer as Error).message).toContain("its log tells why");
    expect((answer as Error).message).not.toContain(file);
    await chmod(file, 0o600);
    await expect(refused()).rejects.toThrow("cannot be executed");
    await chmod(file, 0o700);
    await refused();
    await chmod(join(root, "request"), 0o770);
    await expect(refused()).rejects.toThrow("can be written by others");
    await chmod(join(root, "request"), 0o700);
    await symlink(file, join(root, "request/pre/link"));
    await expect(refused()).rejects.toThrow("is no plain file");
  });
});

/** A process that was killed and that nobody has waited for is no more. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
