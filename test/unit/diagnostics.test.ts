import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diagnosticsText } from "../../extension/diagnostics/diagnosticsText";
import { lastLines } from "../../extension/diagnostics/lastLines";
import { Pseudonyms } from "../../extension/diagnostics/pseudonyms";

const HIDDEN = {
  home: "/home/joe",
  user: "joe",
  hosts: ["adminbox"],
  minions: [
    { name: "web-1", address: "10.0.0.7" },
    { name: "web-1.example.org", address: "gateway.example.org" },
    { name: "db", address: "127.0.0.1" },
  ],
};

function hide(text: string): string {
  return new Pseudonyms(HIDDEN).apply(text);
}

describe("Pseudonyms", () => {
  it("gives each minion the same stand-in everywhere, the longer name first", () => {
    expect(hide("WEB-1.example.org, web-1, db. web-1: web-10 dbx")).toBe(
      "minion-1, minion-2, minion-3. minion-2: web-10 dbx",
    );
  });

  it("knows a minion also in the id of a job", () => {
    expect(hide("web-1 web_1-test-ping-1700000000.000001")).toBe(
      "minion-1 minion-1-test-ping-1700000000.000001",
    );
  });

  it("replaces addresses but no loopback, time or version", () => {
    expect(
      hide("10.0.0.7:51234 gateway.example.org 192.168.1.1 10.0.0.7 fe80::1 [2001:db8::2:3]"),
    ).toBe("address-1:51234 address-2 address-3 address-1 address-4 [address-5]");
    const plain = "127.0.0.1 ::1 05:02:10 1.103.0 2026-11-22T05:02:10.123Z 0.0.0.0:51235";
    expect(hide(plain)).toBe(plain);
  });

  it("replaces home, user and this machine", () => {
    expect(hide("/home/joe/x joe@adminbox.")).toBe("~/x user@this-host.");
  });

  it("takes out keys, tokens and lines that look secret", () => {
    const pem = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
    expect(hide(`a ${pem} b`)).toBe("a [PEM removed] b");
    expect(hide(JSON.stringify({ key: pem }))).not.toContain("MIIB");
    expect(hide("run: funcd join func-join-eyJ2IjoxfQ now")).toBe("run: funcd join [removed] now");
    expect(hide("one\nDB_PASSWORD=x\ntwo")).toBe("one\n[line removed: it may hold a secret]\ntwo");
  });

  it("is quick with ten thousand minions", () => {
    const minions = Array.from({ length: 10_000 }, (_, i) => ({
      name: `web${i}`,
      address: `10.1.${i >> 8}.${i & 255}`,
    }));
    const text = "web42 at 10.1.0.42 is unreachable\n".repeat(150);
    const out = new Pseudonyms({ ...HIDDEN, minions }).apply(text);
    expect(out).toBe("minion-1 at address-1 is unreachable\n".repeat(150));
  });
});

describe("diagnosticsText", () => {
  it("tells what is known, and what is not", () => {
    const text = diagnosticsText({
      versions: [["VS Code", "1.103 | x"]],
      settings: { "func.home": "" },
      overlordProblem: "Not running, or not connected yet.",
      logs: [
        { title: "overlord.log", lines: ["```", "x"] },
        { title: "Output", lines: undefined },
      ],
    });
    expect(text).toContain("| VS Code | 1.103 \\| x |");
    expect(text).toContain("Not running, or not connected yet.");
    expect(text).toContain("Minions: not known");
    expect(text).toContain("````text\n```\nx\n````");
    expect(text).toContain("## Output\n\nThere is none.");
  });

  it("counts minions by state", () => {
    const text = diagnosticsText({
      versions: [],
      settings: {},
      overlordProblem: "",
      minions: { online: 3, unreachable: 1 },
      logs: [],
    });
    expect(text).toContain("Minions: 4 (3 online, 1 unreachable)");
  });
});

describe("lastLines", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "lines-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("reads the end of a file, whole lines only", async () => {
    const file = join(folder, "log");
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} äöü`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    expect(await lastLines(file, 3)).toEqual(lines.slice(-3));
    const most = (await lastLines(file, 20_000)) ?? [];
    expect(most.length).toBeGreaterThan(1_000);
    expect(most).toEqual(lines.slice(-most.length));
    expect(await lastLines(join(folder, "none"), 3)).toBeUndefined();
  });
});
