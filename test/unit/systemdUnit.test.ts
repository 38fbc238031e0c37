import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNIT_MARKER } from "../../server/cli/hosts/remoteScripts";
import { systemdUnit } from "../../server/cli/hosts/systemdUnit";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What systemd itself says about a unit; it complains with status 0 too. */
function verify(scope: "system" | "user", text: string): { status: number | null; words: string } {
  const file = join(folder, scope, "funcd.service");
  mkdirSync(join(folder, scope), { recursive: true });
  writeFileSync(file, text);
  const args = ["verify", ...(scope === "user" ? ["--user"] : []), file];
  const env = { ...process.env, XDG_RUNTIME_DIR: folder };
  const run = spawnSync("systemd-analyze", args, { encoding: "utf8", env });
  if (run.error) {
    throw new Error("systemd-analyze is needed: apt-get install systemd", { cause: run.error });
  }
  return { status: run.status, words: run.stdout + run.stderr };
}

const PARAMS = { name: "web1.example.org", node: process.execPath, home: "/var/lib/funcd" };

describe.each(["system", "user"] as const)("the %s unit of funcd", (scope) => {
  const text = systemdUnit({ scope, ...PARAMS });

  it("is one that systemd accepts without a word", () => {
    expect(verify(scope, text)).toEqual({ status: 0, words: "" });
  });

  it("would be complained about with a word that systemd does not know", () => {
    expect(verify(scope, text.replace("KillMode=process", "KillMode=funny")).words).toMatch(
      /kill mode/i,
    );
  });

  it("ends funcd alone, and is known as ours", () => {
    expect(text).toContain("\nKillMode=process\n");
    expect(text.startsWith(UNIT_MARKER)).toBe(true);
    expect(text).toContain("func remove-host web1.example.org");
  });
});
