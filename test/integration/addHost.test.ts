import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { identifyProcess } from "../../server/common/processIdentity";
import { freePort, startLocalSshd, type LocalSshd } from "../fixtures/localSshd";
import { endOverlord } from "../fixtures/overlordBundle";
import { buildPrograms, runProgram, type ProgramRun } from "../fixtures/programs";

const isRoot = process.getuid?.() === 0;

let root: string;
let data: string;
let sshd: LocalSshd;
let port: number;
const homes: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fh-"));
  data = join(root, "data");
  mkdirSync(data, { mode: 0o700 });
  await writeFile(join(data, "overlord.yaml"), "connect_timeout: 1\n");
  await buildPrograms(root);
  sshd = await startLocalSshd(join(root, "ssh"));
  port = await freePort();
});

afterAll(async () => {
  for (const home of homes) await runProgram(root, "funcd", ["stop", "--home", home]);
  await endOverlord(data);
  await sshd.close();
  await rm(root, { recursive: true, force: true });
});

function func(...words: string[]): Promise<ProgramRun> {
  return runProgram(root, "func", ["--home", data, ...words]);
}

/** A folder for a minion on the "host". */
function newHome(name: string): string {
  const home = join(root, name);
  homes.push(home);
  return home;
}

interface Ways {
  key?: string;
  knownHosts?: string;
  host?: string;
}

function sshWords({ key = sshd.key, knownHosts = sshd.knownHosts }: Ways = {}): string[] {
  const options = [...sshd.options, `UserKnownHostsFile=${knownHosts}`];
  return [...options.flatMap((option) => ["--ssh-option", option]), "--identity", key];
}

function add(words: string[], ways: Ways = {}): Promise<ProgramRun> {
  const own = ["--node", process.execPath, "--no-service", ...(isRoot ? [] : ["--user-unit"])];
  return func("add-host", ways.host ?? "127.0.0.1", ...own, ...sshWords(ways), ...words);
}

async function certificates(): Promise<{ name: string; serial: string; revoked?: object }[]> {
  const { stdout } = await func("ca", "list", "--json");
  return (JSON.parse(stdout) as { certificates: { name: string; serial: string }[] }).certificates;
}

function pidOf(home: string): number {
  return (JSON.parse(readFileSync(join(home, "lock"), "utf8")) as { pid: number }).pid;
}

describe("a host", () => {
  const home = (): string => join(root, "web9");

  it("joins in one command, from nothing to a ping", async () => {
    const words = ["--name", "web9", "--remote-home", newHome("web9"), "--port", String(port)];
    const added = await add(words);
    expect(added.stderr).toContain("✓ web9 answers at 127.0.0.1");
    expect(added).toMatchObject({ status: 0, stdout: "web9\n" });
    expect(added.stderr).toContain("Nothing starts it again after a reboot");
    expect(added.stderr).toContain("This is the first host. Keep a copy of");
    expect(await func("web9", "ping")).toMatchObject({ status: 0 });
    const pki = join(home(), "pki");
    expect(statSync(home()).mode & 0o777).toBe(0o700);
    expect(statSync(join(pki, "minion.key")).mode & 0o777).toBe(0o600);
    const verified = execFileSync(
      "openssl",
      ["verify", "-purpose", "sslserver", "-CAfile", join(pki, "ca.crt"), join(pki, "minion.crt")],
      { encoding: "utf8" },
    );
    expect(verified).toContain("OK");
  });

  it("that is there already is checked and left as it is", async () => {
    const before = [await certificates(), pidOf(home())];
    const again = await add(["--remote-home", home()]);
    expect(again).toMatchObject({ status: 0, stdout: "web9\n" });
    expect(again.stderr).toContain("✓ funcd runs there already");
    expect([await certificates(), pidOf(home())]).toEqual(before);
  });

  it("with another funcd than this one gets this one, and goes on with its key", async () => {
    const before = pidOf(home());
    const serials = await certificates();
    await appendFile(join(home(), "program", "funcd.js"), "\n// another version\n");
    const updated = await add(["--remote-home", home()]);
    expect(updated).toMatchObject({ status: 0 });
    expect(updated.stderr).toContain("✓ replaced funcd by this version");
    expect(pidOf(home())).not.toBe(before);
    expect(await certificates()).toEqual(serials);
    expect(readdirSync(join(home(), "program"))).toEqual(["funcd.js"]);
  });

  it("is not renamed by adding it again, and no other host gets its name", async () => {
    const renamed = await add(["--remote-home", home(), "--name", "other"]);
    expect(renamed.status).toBe(1);
    expect(renamed.stderr).toContain("127.0.0.1 says that it is the minion web9 already");
    const second = newHome("second");
    const free = String(await freePort());
    const same = await add(["--name", "web9", "--remote-home", second, "--port", free]);
    expect(same.status).toBe(1);
    expect(same.stderr).toContain("There is already a minion web9, with another key");
    expect(same.stderr).toContain("--replace");
    expect(await func("web9", "ping")).toMatchObject({ status: 0 });
  });
});

describe("a login that fails", () => {
  it.each([
    ["a wrong key", () => ({ key: sshd.otherKey }), /Permission denied \(publickey\)/],
    ["a changed host key", () => ({ knownHosts: sshd.changedHosts }), /HAS CHANGED[^]*ssh-keygen/],
    [
      "a host key that nobody knows",
      () => ({ knownHosts: join(root, "none") }),
      /not known[^]*compare the key's fingerprint/,
    ],
    ["a name that is none", () => ({ host: "nosuch.invalid" }), /There is no host nosuch\.invalid/],
  ])("with %s says what to do", async (_, ways, expected) => {
    const home = join(root, "never");
    const failed = await add(["--name", "never", "--remote-home", home], ways());
    expect(failed.status).toBe(1);
    expect(failed.stdout).toBe("");
    expect(failed.stderr).toMatch(expected);
    expect(existsSync(home)).toBe(false);
    expect(existsSync(join(root, "none"))).toBe(false);
  });

  it("with a wrong password says what to do", async () => {
    const script = join(root, "askpass");
    await writeFile(script, "#!/bin/sh\necho wrong\n", { mode: 0o700 });
    const env = { SSH_ASKPASS: script, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" };
    // the first one that is given counts
    const options = [`Port=${sshd.passwordPort}`, "BatchMode=no", "NumberOfPasswordPrompts=2"];
    const words = [...options.flatMap((option) => ["--ssh-option", option]), ...sshWords()];
    const failed = await runProgram(
      root,
      "func",
      ["--home", data, "add-host", "127.0.0.1", "--name", "never", ...words],
      { env },
    );
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/did not let you log in[^]*Permission denied \(.*password.*\)/);
    expect(failed.stderr).toContain("Check user, key and password");
  });

  it("as nothing listens says so", async () => {
    const nowhere = await freePort();
    const failed = await func("add-host", "127.0.0.1", "--ssh-option", `Port=${nowhere}`);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("Nothing answers ssh on 127.0.0.1");
  });
});

describe("a host on which something is in the way", () => {
  it("such as a full disk", async () => {
    const home = newHome("full");
    const unmount = fillDisk(home);
    try {
      const failed = await add(["--name", "full", "--remote-home", home]);
      expect(failed.status).toBe(1);
      expect(failed.stderr).toContain("The disk of 127.0.0.1 is full");
      expect(failed.stderr).toContain("Make room on the file system of");
      expect(existsSync(join(home, "program", ".funcd.js.new"))).toBe(false);
      expect(failed.stderr).not.toContain("for the next attempt");
    } finally {
      unmount();
    }
    expect((await certificates()).filter(({ name }) => name === "full")).toEqual([]);
  });

  it("such as a port that is taken", async () => {
    const other = createServer().listen(0, "0.0.0.0");
    await once(other, "listening");
    const address = other.address();
    const taken = typeof address === "object" && address ? String(address.port) : "";
    const home = newHome("taken");
    const failed = await add(["--name", "taken", "--remote-home", home, "--port", taken]);
    other.close();
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain(`Port ${taken} of 127.0.0.1 is taken by another program`);
    expect(failed.stderr).toContain("To use another port for funcd: --port N");
    expect(failed.stderr).toContain(`stays, for the next attempt: the folder ${home}.`);
    expect((await certificates()).filter(({ name }) => name === "taken")).toEqual([]);
  });

  it("such as a folder with other things in it, or no Node", async () => {
    const foreign = await add(["--name", "x", "--remote-home", join(root, "ssh")]);
    expect(foreign.status).toBe(1);
    expect(foreign.stderr).toContain("holds other things");
    const home = newHome("nonode");
    const none = await add(["--name", "x", "--remote-home", home, "--node", "/bin/false"]);
    expect(none.status).toBe(1);
    expect(none.stderr).toContain("There is no Node at /bin/false");
    expect(existsSync(home)).toBe(false);
  });

  it("such as a firewall between here and there", async () => {
    const home = newHome("walled");
    const words = ["--name", "walled", "--remote-home", home, "--port", String(await freePort())];
    const failed = await add([...words, "--address", "192.0.2.1"]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/funcd runs on 127\.0\.0\.1 and answers on port \d+ there, but/);
    expect(failed.stderr).toMatch(/Let TCP port \d+ through/);
    expect(failed.stderr).toContain(`next attempt: the folder ${home}, a funcd that may run.`);
    // the address was the mistake: the next attempt goes on from there
    const corrected = await add([...words.slice(0, 4), "--address", "127.0.0.1"]);
    expect(corrected.stderr).toContain("✓ walled answers at 127.0.0.1");
    expect(corrected.status).toBe(0);
  });
});

describe("removing a host", () => {
  it("stops funcd, takes its files away and revokes its certificate", async () => {
    const home = join(root, "web9");
    const pid = pidOf(home);
    await writeFile(join(home, "notes.acl"), "# of the administrator\n");
    expect((await func("remove-host", "web9")).stderr).toContain("Add --yes");
    const removed = await func("remove-host", "web9", "--yes");
    expect(removed.stderr).toContain("✓ revoked its certificate");
    expect(removed.status).toBe(0);
    expect(identifyProcess(pid)).toBeUndefined();
    const left = readdirSync(home);
    expect(left).toContain("notes.acl");
    expect(left.filter((name) => !/^audit|\.acl$/.test(name))).toEqual([]);
    const ours = (await certificates()).filter(({ name }) => name === "web9");
    expect(ours.every(({ revoked }) => revoked !== undefined)).toBe(true);
    expect((await func("web9", "ping")).status).toBe(2);
  });

  it("that is gone works without it, and it can come back with a new key", async () => {
    const home = join(root, "walled");
    await sshd.close();
    const failed = await func("remove-host", "walled", "--yes");
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("func remove-host walled --offline");
    const removed = await func("remove-host", "walled", "--offline", "--yes");
    expect(removed).toMatchObject({ status: 0 });
    await rm(join(root, "ssh"), { recursive: true });
    sshd = await startLocalSshd(join(root, "ssh"));
    const back = await add(["--name", "walled", "--remote-home", home]);
    expect(back.stderr).toContain("Its old key was revoked: it makes a new one.");
    expect(back.status).toBe(0);
  });
});

/** Leaves no room in `home`; gives what undoes it. */
function fillDisk(home: string): () => void {
  mkdirSync(home);
  try {
    if (!isRoot) throw new Error("only root can mount");
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", home], { stdio: "ignore" });
    return () => void execFileSync("umount", ["-l", home]);
  } catch {
    // a device that is always full, in the place where the program is written
    mkdirSync(join(home, "program"));
    symlinkSync("/dev/full", join(home, "program", ".funcd.js.new"));
    return () => undefined;
  }
}
