import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { posixShim, shellQuoted, windowsShim } from "../../extension/commandLine/shim";
import { lookAtLink, makeLink, removeLink } from "../../extension/commandLine/userLink";

/** What a shell might take for something else. */
const NASTY = `it's "here" $HOME \`id\` \\ ;& *`;

let base: string;
let folder: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "shim-"));
  folder = join(base, NASTY);
  mkdirSync(folder);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A script that says what it was started with; returns the path of the command. */
function install(name: string): { command: string; home: string } {
  const script = join(folder, "func.js");
  writeFileSync(
    script,
    `const { FUNC_HOME, ELECTRON_RUN_AS_NODE, NODE_OPTIONS } = process.env;
     console.log(JSON.stringify({ FUNC_HOME, ELECTRON_RUN_AS_NODE, NODE_OPTIONS,
       node: process.execPath, args: process.argv.slice(2) }));
     process.exitCode = 3;`,
  );
  const execPath = join(folder, "node");
  rmSync(execPath, { force: true });
  symlinkSync(process.execPath, execPath);
  const home = join(folder, "data");
  const command = join(folder, name);
  writeFileSync(command, posixShim({ execPath, script, home }), { mode: 0o700 });
  return { command, home };
}

describe("the script of the command line", () => {
  it("runs on the Node that it names, whatever the paths are and without any Node on the PATH", () => {
    const { command, home } = install("func");
    const env = { PATH: "/nowhere", NODE_OPTIONS: "--no-such-option" };
    const { status, stdout, stderr } = spawnSync(command, ["*", "call", "a b", ""], {
      env,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      FUNC_HOME: home,
      ELECTRON_RUN_AS_NODE: "1",
      node: process.execPath,
      args: ["*", "call", "a b", ""],
    });
    expect(status).toBe(3);
  });

  it("leaves the data directory to FUNC_HOME where that is set", () => {
    const { command } = install("func");
    const { stdout } = spawnSync(command, [], { env: { FUNC_HOME: "/other" }, encoding: "utf8" });
    expect(JSON.parse(stdout)).toMatchObject({ FUNC_HOME: "/other" });
  });

  it("works through a link, and in other shells", () => {
    const { command } = install("func");
    const link = join(base, "link");
    symlinkSync(command, link);
    for (const shell of ["sh", "bash"]) {
      const { status } = spawnSync(shell, ["-c", shellQuoted(link)], { encoding: "utf8" });
      expect(status).toBe(3);
    }
  });

  it("says what to do where VS Code has moved away", () => {
    const { command } = install("func");
    rmSync(join(folder, "func.js"));
    const { status, stderr } = spawnSync(command, [], { encoding: "utf8" });
    expect(status).toBe(127);
    expect(stderr).toContain("Open the Func view in VS Code once");
  });

  it("quotes any text as one word of a shell", () => {
    const printed = execFileSync("sh", ["-c", `printf %s ${shellQuoted(NASTY)}`]).toString();
    expect(printed).toBe(NASTY);
  });

  it("keeps a percent sign in paths of Windows", () => {
    const shim = windowsShim({ execPath: "C:\\50%\\Code.exe", script: "C:\\f.js", home: "C:\\h" });
    expect(shim).toContain('"C:\\50%%\\Code.exe" "C:\\f.js" %*\r\n');
    expect(shim).toContain('if not defined FUNC_HOME set "FUNC_HOME=C:\\h"');
  });
});

describe("the user's link", () => {
  it("is made with its folder, replaced when ours, and removed again", async () => {
    const { command } = install("func");
    const link = join(base, "home", "bin", "func");
    expect(await lookAtLink(link, command)).toEqual({ kind: "none" });
    await makeLink(link, command);
    expect(readlinkSync(link)).toBe(command);
    expect(await lookAtLink(link, command)).toEqual({ kind: "ours" });
    rmSync(command); // as after "Remove Command Line" from another window
    expect(await lookAtLink(link, command)).toEqual({ kind: "ours" });
    expect(await removeLink(link, command)).toBe(true);
    expect(await lookAtLink(link, command)).toEqual({ kind: "none" });
  });

  it("never takes another program for ours", async () => {
    const { command } = install("func");
    const other = join(base, "other");
    writeFileSync(other, "#!/bin/sh\necho original\n");
    chmodSync(other, 0o755);
    expect(await lookAtLink(other, command)).toEqual({ kind: "foreign", what: other });
    expect(await removeLink(other, command)).toBe(false);
    expect(readFileSync(other, "utf8")).toContain("original");

    const link = join(base, "foreign-link");
    symlinkSync("/no/such/func", link);
    expect(await lookAtLink(link, command)).toMatchObject({ kind: "foreign" });
    expect(await removeLink(link, command)).toBe(false);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it("opens nothing that is no plain file, and reads no more of one than it needs", async () => {
    const { command } = install("func");
    const pipe = join(base, "pipe");
    execFileSync("mkfifo", [pipe]);
    const link = join(base, "link-to-pipe");
    symlinkSync(pipe, link);
    const big = join(base, "big");
    writeFileSync(big, "");
    truncateSync(big, 5_000_000_000);
    for (const place of [pipe, link, big, folder]) {
      expect(await lookAtLink(place, command)).toMatchObject({ kind: "foreign" });
      expect(await removeLink(place, command)).toBe(false);
    }
  });

  it("knows the link of another VS Code of the same user as ours", async () => {
    const { command } = install("func");
    const { command: second } = install("func2");
    const link = join(base, "second-link");
    symlinkSync(second, link);
    expect(await lookAtLink(link, command)).toEqual({ kind: "ours" });
  });
});
