import { chownSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessSignature, readAccessFiles } from "../../server/minion/aclFiles";

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

describe("the files of access rules", () => {
  it("are those of both formats, and nothing else in their folder", () => {
    expect(readAccessFiles({ home })).toMatchObject({ folder: false, rules: [], presets: {} });
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
