import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLog, silentLog, type Log } from "../../server/common/log";
import { AccessControl } from "../../server/minion/accessControl";
import { accessSignature, readAccessFiles } from "../../server/minion/aclFiles";
import { MethodRegistry } from "../../server/minion/methodRegistry";
import type { Caller } from "../../server/minion/minionModule";
import { commandModule } from "../../server/minion/modules/command";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "acl-"));
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  mkdirSync(join(home, "acls"), { recursive: true });
  const file = join(home, "acls", name);
  writeFileSync(file, text);
  return file;
}

describe("access control", () => {
  const operator: Caller = {
    role: "operator",
    name: "alice",
    keyFingerprint: "ab".repeat(32),
    address: "192.0.2.1",
    subject: "alice-1",
  };

  afterEach(() => {
    vi.useRealTimers();
  });

  /** Decides at each second what alice may do. */
  function deciding(log: Log = silentLog, onProblem?: (text?: string) => void): () => string {
    vi.useFakeTimers({ toFake: ["Date"] });
    const registry = new MethodRegistry();
    registry.add(commandModule);
    const control = new AccessControl({ home }, registry, log, onProblem);
    return () => {
      vi.setSystemTime(Date.now() + 1_000);
      const may = (method: string): boolean => control.decide(operator, method, []).allowed;
      if (may("nosuch.method")) return "full";
      if (may("command.run")) return "run";
      return may("command.exists") ? "read" : "nothing";
    };
  }

  it("narrows operators by a folder of rules, by presets, and adds what rules give", () => {
    const decide = deciding();
    expect(decide()).toBe("full");
    write("nobody.acl", "");
    expect(decide()).toBe("nothing");
    write("a.acl", "alice-1 = command.run\n");
    expect(decide()).toBe("run");
    rmSync(join(home, "acls", "a.acl"));
    expect(decide()).toBe("nothing");
    writeFileSync(join(home, "minion.yaml"), "access: {operators: read-only}\n");
    expect(decide()).toBe("read");
    write("b.acl.yaml", "allow: [{roles: [operator], preset: full, until: 2000-01-01}]");
    expect(decide()).toBe("read");
    write("b.acl.yaml", "allow: [{roles: [operator], preset: full}]");
    expect(decide()).toBe("full");
    write("b.acl.yaml", "allow: [{roles: [operator], preset: full}");
    expect(decide()).toBe("nothing");
  });

  it("allows no more while an editor has taken a file away for a moment", () => {
    writeFileSync(join(home, "minion.yaml"), "access: {operators: read-only}\n");
    const decide = deciding();
    expect(decide()).toBe("read");
    for (const gone of ["", undefined]) {
      if (gone === undefined) rmSync(join(home, "minion.yaml"));
      else writeFileSync(join(home, "minion.yaml"), gone);
      expect(decide()).toBe("read");
      writeFileSync(join(home, "minion.yaml"), "access: {operators: none}\n");
      expect(decide()).toBe("nothing");
      writeFileSync(join(home, "minion.yaml"), "access: {operators: read-only}\n");
      expect(decide()).toBe("read");
    }
    writeFileSync(join(home, "minion.yaml"), "name: web1\n");
    expect(decide()).toBe("full");
    write("a.acl", "");
    expect(decide()).toBe("nothing");
  });

  it("warns once of rules for methods that are not here", () => {
    let lines = "";
    const decide = deciding(createLog((line) => (lines += line)));
    const file = write("a.acl", "alice-1 = command.run\nalice-1 = command.* comand.run\n");
    expect(decide()).toBe("run");
    expect(decide()).toBe("run");
    expect(lines.match(/warn/gi)).toHaveLength(1);
    expect(lines).toContain(`${file}:2: this minion has no method`);
    write("a.acl", "alice-1 = command.run\n");
    decide();
    write("a.acl", "alice-1 = async.command.run\n");
    expect(decide()).toBe("nothing");
    expect(lines.match(/warn/gi)).toHaveLength(2);
  });

  it("denies where rules vanish while they are in use, until they are back or it starts anew", () => {
    let lines = "";
    const problems: (string | undefined)[] = [];
    const log = createLog((line) => (lines += line));
    writeFileSync(join(home, "minion.yaml"), "access: {operators: read-only}\n");
    let decide = deciding(log, (problem) => problems.push(problem));
    expect(decide()).toBe("read");
    for (const gone of ["", undefined]) {
      if (gone === undefined) rmSync(join(home, "minion.yaml"));
      else writeFileSync(join(home, "minion.yaml"), gone);
      for (const outcome of ["read", "nothing", "nothing"]) expect(decide()).toBe(outcome);
      expect(problems.splice(0)).toEqual([expect.stringContaining(join(home, "minion.yaml"))]);
      expect(lines).toMatch(/error.*minion\.yaml/i);
      writeFileSync(join(home, "minion.yaml"), "access: {operators: read-only}\n");
      expect(decide()).toBe("read");
      expect(problems.splice(0)).toEqual([undefined]);
    }
    rmSync(join(home, "minion.yaml"));
    for (const outcome of ["read", "nothing"]) expect(decide()).toBe(outcome);
    writeFileSync(join(home, "minion.yaml"), "name: web1\n");
    expect(decide()).toBe("full"); // it is said
    rmSync(join(home, "minion.yaml"));
    for (const outcome of ["full", "full"]) expect(decide()).toBe(outcome); // it narrowed nothing
    write("a.acl", "alice-1 = command.exists\n");
    expect(decide()).toBe("read");
    renameSync(join(home, "acls"), join(home, "aside"));
    for (const outcome of ["read", "nothing", "nothing"]) expect(decide()).toBe(outcome);
    expect(problems.at(-1)).toContain(join(home, "acls"));
    renameSync(join(home, "aside"), join(home, "acls"));
    expect(decide()).toBe("read");
    rmSync(join(home, "acls"), { recursive: true });
    for (const outcome of ["read", "nothing"]) expect(decide()).toBe(outcome);
    decide = deciding();
    expect(decide()).toBe("full"); // so it stands there, and somebody has started it anew
  });

  it("denies where a file was wrong and vanishes", () => {
    writeFileSync(join(home, "minion.yaml"), "access: {operators: read-only\n");
    const decide = deciding();
    expect(decide()).toBe("nothing");
    rmSync(join(home, "minion.yaml"));
    for (const outcome of ["nothing", "nothing"]) expect(decide()).toBe(outcome);
  });

  it("denies where the target of a link goes away", () => {
    const disk = join(home, "disk");
    mkdirSync(join(disk, "acls"), { recursive: true });
    writeFileSync(join(disk, "minion.yaml"), "access: {operators: read-only}\n");
    symlinkSync(join(disk, "minion.yaml"), join(home, "minion.yaml"));
    let decide = deciding();
    expect(decide()).toBe("read");
    renameSync(disk, `${disk}2`);
    for (const outcome of ["nothing", "nothing"]) expect(decide()).toBe(outcome);
    decide = deciding();
    expect(decide()).toBe("nothing");
    rmSync(join(home, "minion.yaml"));
    symlinkSync(join(disk, "acls"), join(home, "acls"));
    decide = deciding();
    expect(decide()).toBe("nothing");
    renameSync(`${disk}2`, disk);
    symlinkSync(join(disk, "no.acl"), join(disk, "acls", "a.acl"));
    expect(decide()).toBe("nothing");
    expect(readAccessFiles({ home }).problem).toBe(
      `${join(home, "acls", "a.acl")}: is a link to ${join(disk, "no.acl")}, which is not there`,
    );
    writeFileSync(join(disk, "no.acl"), "alice-1 = command.exists\n");
    expect(decide()).toBe("read");
    renameSync(disk, `${disk}2`);
    for (const outcome of ["nothing", "nothing"]) expect(decide()).toBe(outcome);
    expect(readAccessFiles({ home }).problem).toBe(
      `${join(home, "acls")}: is a link to ${join(disk, "acls")}, which is not there`,
    );
  });
});

describe("the files of access rules", () => {
  it("are those of both formats, and nothing else in their folder", () => {
    expect(readAccessFiles({ home })).toMatchObject({ folder: false, rules: [] });
    write("a.acl", "a = b\nc = d\n");
    write("b.acl.yaml", "allow: [{roles: [operator], preset: full}]");
    write(".c.acl", "broken");
    write("d.acl.bak", "broken");
    write("README", "broken");
    const { folder, rules, problem } = readAccessFiles({ home });
    expect({ folder, rules: rules.length, problem }).toEqual({ folder: true, rules: 3 });
  });

  it("go with the presets of minion.yaml", () => {
    writeFileSync(
      join(home, "minion.yaml"),
      "name: web1\naccess:\n  operators: read-only\n  overlord: standard\n",
    );
    expect(readAccessFiles({ home }).presets).toEqual({
      operators: "read-only",
      overlord: "standard",
    });
    writeFileSync(join(home, "minion.yaml"), "name: web1\n");
    expect(readAccessFiles({ home }).presets).toEqual({});
    writeFileSync(join(home, "minion.yaml"), "");
    expect(readAccessFiles({ home }).presets).toBeUndefined();
  });

  it("allow nothing where another user could have written them", () => {
    const file = write("a.acl", "a = b\n");
    // only root can give a file away, and root may own any
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(file, 4_242, 4_242);
    const owner = isRoot ? 0 : 4_242;
    const { rules, problem } = readAccessFiles({ home, owner });
    expect(rules).toEqual([]);
    expect(problem).toContain("belongs to another user");
    expect(problem).toContain(isRoot ? file : join(home, "acls"));
  });

  it("allow nothing where they are larger than 16 MiB together", () => {
    for (let at = 0; at < 17; at++) write(`${at}.acl`, `#${"x".repeat(1024 * 1024 - 1)}`);
    expect(readAccessFiles({ home }).problem).toContain("larger than 16777216 bytes together");
  });

  it("show from outside whether they have changed", () => {
    const seen = new Set<string>();
    const look = (): number => seen.add(accessSignature({ home })).size;
    expect(look()).toBe(1);
    const file = write("a.acl", "a = b\n");
    expect(look()).toBe(2);
    expect(look()).toBe(2);
    write("b.acl", "");
    expect(look()).toBe(3);
    writeFileSync(file, "a = c\n");
    utimesSync(file, 1, 1);
    expect(look()).toBe(4);
    rmSync(join(home, "acls"), { recursive: true });
    expect(look()).toBe(4); // as at first
  });
});
