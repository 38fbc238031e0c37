import { X509Certificate } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { AclRule } from "../../server/minion/aclRule";
import { AclProblem } from "../../server/minion/aclRule";
import type { Caller } from "../../server/minion/minionModule";
import { parseOriginalAcl } from "../../server/minion/originalAcl";
import { isPreset, presetAllows } from "../../server/minion/presets";
import { parseYamlAcl } from "../../server/minion/yamlAcl";
import { subjectNameOf } from "../../server/pki/certificates/subjectName";
import { XmlRpcDouble, type XmlRpcValue } from "../../server/wire/value";

const KEY = "ab".repeat(32);

function caller(more: Partial<Caller>): Caller {
  return { role: "operator", name: "alice", keyFingerprint: KEY, address: "192.0.2.1", ...more };
}

function allows(
  rules: readonly AclRule[],
  who: Partial<Caller>,
  method: string,
  params: XmlRpcValue[] = [],
  more: { risk?: "read" | "change" | "disruptive"; nowMs?: number } = {},
): boolean {
  const call = { method, params, risk: more.risk ?? "read", nowMs: more.nowMs ?? 0 } as const;
  return rules.some((rule) => rule.names(caller(who)) && rule.allows(call));
}

function problem(read: () => unknown): { line: number; message: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof AclProblem) return { line: error.line, message: error.message };
    throw error;
  }
  throw new Error("nothing was wrong");
}

describe("the original's access rules", () => {
  const rules = parseOriginalAcl(
    [
      "# the web tier, by two separators",
      "node02-2735269795 = test.*, command.run jobs.job_status",
      "",
      "node02-2735269795=system.list_*",
      "  ops-[0-9]*=*",
      "web?-1 = test.[pq]ing",
      "idle-1 =",
    ].join("\n"),
  );
  const node = { subject: "node02-2735269795" };

  it.each([
    ["test.ping", true],
    ["test.sub.ping", true],
    ["command.run", true],
    ["jobs.job_status", true],
    ["system.list_modules", true],
    ["system.inventory", false],
    ["command.exists", false],
    ["Test.ping", false],
    ["", false],
    ["async.test.ping", false],
  ])("allow %j to node02: %j", (method, expected) => {
    expect(allows(rules, node, method)).toBe(expected);
  });

  it("name a subject by its whole name and hash, as a glob in small letters", () => {
    expect(allows(rules, { subject: "node02-2735269796" }, "test.ping")).toBe(false);
    expect(allows(rules, { subject: "anode02-2735269795" }, "test.ping")).toBe(false);
    expect(allows(rules, { subject: "node02-a308e7a3" }, "test.ping")).toBe(false);
    expect(allows(rules, { subject: "ops-77" }, "command.run")).toBe(true);
    expect(allows(rules, { subject: "web1-1" }, "test.ping")).toBe(true);
    expect(allows(rules, { subject: "web1-1" }, "test.sing")).toBe(false);
    expect(allows(rules, { subject: "idle-1" }, "test.ping")).toBe(false);
    expect(allows(rules, {}, "test.ping")).toBe(false);
  });

  it("match a name with capitals by a wildcard only", () => {
    const [exact, wild] = [parseOriginalAcl("Web1-1 = *"), parseOriginalAcl("?eb1-1 = *")];
    expect(allows(exact, { subject: "Web1-1" }, "test.ping")).toBe(false);
    expect(allows(exact, { subject: "web1-1" }, "test.ping")).toBe(true);
    expect(allows(wild, { subject: "Web1-1" }, "test.ping")).toBe(true);
  });

  it.each([
    ["a = b\nc d\n", 2],
    ["a = b = c", 1],
    ["#\n\n # indented\n", 3],
    ["a = b\n = test.*", 2],
  ])("are wrong as %j in line %i", (text, line) => {
    expect(problem(() => parseOriginalAcl(text)).line).toBe(line);
  });
});

describe("our own access rules", () => {
  it("name roles, names, keys and methods", () => {
    const rules = parseYamlAcl(`
# comments are allowed
allow:
  - roles: [operator]
    names: [alice, "ops-*"]
    methods: ["test.*", command.run]
  - roles: operator
    keys: ["${KEY.toUpperCase().replace(/(..)(?!$)/g, "$1:")}"]
    methods: jobs.cancel
  - roles: [overlord]
    preset: read-only
`);
    expect(allows(rules, {}, "test.ping")).toBe(true);
    expect(allows(rules, {}, "jobs.cancel")).toBe(true);
    expect(allows(rules, {}, "jobs.wait")).toBe(false);
    expect(allows(rules, { name: "ops-7", keyFingerprint: "00" }, "command.run")).toBe(true);
    expect(allows(rules, { name: "ops-7", keyFingerprint: "00" }, "jobs.cancel")).toBe(false);
    expect(allows(rules, { name: "Alice", keyFingerprint: "00" }, "test.ping")).toBe(true);
    expect(allows(rules, { name: "alicia", keyFingerprint: "00" }, "test.ping")).toBe(false);
    expect(allows(rules, { keyFingerprint: "00" }, "Test.ping")).toBe(false);
    expect(allows(rules, { role: "overlord" }, "test.add")).toBe(true);
    expect(allows(rules, { role: "overlord" }, "test.add", [], { risk: "change" })).toBe(false);
    expect(allows(rules, { role: "minion" }, "test.ping")).toBe(false);
  });

  it("bind arguments by place, and allow no others", () => {
    const rules = parseYamlAcl(`
allow:
  - roles: [operator]
    methods: [command.run]
    arguments: {1: uptime}
  - roles: [operator]
    methods: [service.restart]
    arguments:
      1: {glob: "web-*"}
      2: 5
      3: {any: true}
`);
    const run = (...params: XmlRpcValue[]): boolean => allows(rules, {}, "command.run", params);
    expect(run("uptime")).toBe(true);
    expect(run("uptime ")).toBe(false);
    expect(run("uptime; id")).toBe(false);
    expect(run("uptime", { PATH: "/tmp" })).toBe(false);
    expect(run()).toBe(false);
    expect(run(["uptime"])).toBe(false);
    const restart = (...params: XmlRpcValue[]): boolean =>
      allows(rules, {}, "service.restart", params);
    expect(restart("web-1", 5)).toBe(true);
    expect(restart("web-1", "5", { any: "thing" })).toBe(true);
    expect(restart("web-1", new XmlRpcDouble(5))).toBe(true);
    expect(restart("web-1", 6)).toBe(false);
    expect(restart("web-1", 5, 1, 2)).toBe(false);
    for (const text of ["web-1; id", "web-$(id)", "web-`id`", "web-1\nid", "web-1 | id", "web-'"]) {
      expect(restart(text, 5)).toBe(false);
    }
  });

  it("never follow a path upwards by a glob, only by an exact value", () => {
    const rules = parseYamlAcl(`
allow:
  - roles: [operator]
    methods: [command.run]
    arguments: {1: {glob: "ls /tmp/a/*"}}
  - roles: [operator]
    methods: [command.run]
    arguments: {1: {glob: "tar ???*"}}
  - roles: [operator]
    methods: [command.run]
    arguments: {1: "ls /tmp/a/../b"}
`);
    const run = (text: string): boolean => allows(rules, {}, "command.run", [text]);
    for (const text of ["b", "b/c..d", ".hidden/x", "v1..v2", "*.log", "a.*"]) {
      expect([text, run(`ls /tmp/a/${text}`)]).toEqual([text, true]);
    }
    expect(run("ls /tmp/a/../b")).toBe(true);
    const upwards = ["ls /tmp/a/../../etc/shadow", "ls /tmp/a/..", "ls /tmp/a/b ../x", "tar ../x"];
    const words = ["tar -C../../etc x", "tar --to=../x", "tar x ..", "tar a:..:b", "tar a//..//b"];
    // a shell makes ".." of these
    const wildcards = [
      "ls /tmp/a/.?/.?/etc/shadow",
      "ls /tmp/a/.*/x",
      "tar .[.]/x",
      "tar x .[!a]/",
    ];
    for (const text of [...upwards, ...words, ...wildcards]) {
      expect([text, run(text)]).toEqual([text, false]);
    }
  });

  it("end at their time", () => {
    const day = parseYamlAcl("allow: [{roles: [operator], methods: ['*'], until: 2027-01-31}]");
    const end = Date.UTC(2027, 1, 1);
    expect(allows(day, {}, "a.b", [], { nowMs: end - 1 })).toBe(true);
    expect(allows(day, {}, "a.b", [], { nowMs: end })).toBe(false);
    const time = parseYamlAcl(
      'allow: [{roles: [operator], methods: ["*"], until: "2027-01-31T18:00+01:00"}]',
    );
    const at = Date.UTC(2027, 0, 31, 17);
    expect(allows(time, {}, "a.b", [], { nowMs: at - 1 })).toBe(true);
    expect(allows(time, {}, "a.b", [], { nowMs: at })).toBe(false);
  });

  it("take certificates without a role by their keys alone", () => {
    const rules = parseYamlAcl(`allow: [{roles: [cn-only], keys: [${KEY}], methods: ["test.*"]}]`);
    expect(allows(rules, { role: "cn-only" }, "test.ping")).toBe(true);
    expect(allows(rules, { role: "cn-only", keyFingerprint: "00" }, "test.ping")).toBe(false);
    expect(allows(rules, {}, "test.ping")).toBe(false);
  });

  it.each([
    ["allow: [", 1, ""],
    ["alow: []", 1, 'unknown key "alow"'],
    ["- a", 1, "has to be a map"],
    ["allow: {}", 1, '"allow" has to be a list'],
    ["allow:\n  - test.*", 2, "has to be a map"],
    ["allow:\n  - roles: [operator]\n    metods: [a]", 3, 'unknown key "metods"'],
    ["allow:\n  - methods: [a]", 2, 'needs "roles"'],
    ["allow:\n  - roles: []\n    methods: [a]", 2, 'needs "roles"'],
    ["allow:\n  - roles:\n      - minion\n    methods: [a]", 3, '"roles" are'],
    ["allow:\n  - roles: [operator]", 2, 'needs "methods" or "preset"'],
    ["allow:\n  - roles: [operator]\n    methods: [test.add]\n    preset: full", 2, "not both"],
    ["allow:\n  - roles: [operator]\n    preset: readonly", 3, '"preset" has to be'],
    ["allow:\n  - roles: [operator]\n    methods: ['']", 3, "a glob of methods"],
    ["allow:\n  - roles: [operator]\n    methods: [a]\n    keys: [abc]", 4, '"keys" are SHA-256'],
    ["allow:\n  - roles: [operator]\n    methods: [a]\n    until: soon", 4, '"until" has to be'],
    ["allow:\n  - roles: [operator]\n    methods: [a]\n    arguments: [a]", 4, "has to be a map"],
    ["allow:\n  - roles: [operator]\n    methods: [a]\n    arguments: {0: a}", 4, "are counted"],
    ["allow:\n  - roles: [operator]\n    methods: [a]\n    arguments: {1: [a]}", 4, "has to be"],
    [
      "allow:\n  - roles: [operator]\n    methods: [a]\n    arguments: {1: {gob: a}}",
      4,
      "has to be",
    ],
    ["allow:\n  - roles: [operator]\n    preset: full\n    arguments: {1: a}", 2, "goes with"],
    ["allow:\n  - roles: [cn-only]\n    methods: [a]", 2, 'needs "keys"'],
    ["allow:\n  - &a {roles: [operator], preset: full}\n  - *a", 3, "map"],
    ["allow: !!js/function []", 1, ""],
    ["allow: []\nallow: []", 2, "unique"],
    ["allow: []\n---\nallow: []", 2, ""],
  ])("are wrong as %j in line %i", (text, line, message) => {
    expect(problem(() => parseYamlAcl(text))).toEqual({
      line,
      message: expect.stringContaining(message) as string,
    });
  });

  it("can be none", () => {
    for (const text of ["", "# nothing\n", "allow: []"]) expect(parseYamlAcl(text)).toEqual([]);
  });
});

describe("a file of rules that somebody damaged", () => {
  const good = `allow:\n  - roles: [operator]\n    methods: [command.run]\n    arguments: {1: uptime}\n`;
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc
      .tuple(
        fc.constantFrom(good, "alice-12 = test.*, command.run\nbob-1 = *\n"),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat({ max: 5 }),
        fc.constantFrom(
          "",
          "&a",
          "*a",
          "!!",
          "? ",
          "- ",
          ": ",
          "\n",
          "\t",
          "{",
          "]",
          "#",
          "=",
          "\0",
          '"',
        ),
      )
      .map(([whole, place, remove, insert]) => {
        const at = Math.floor(place * whole.length);
        return whole.slice(0, at) + insert + whole.slice(at + remove);
      }),
  );

  it("is refused by name of the line, or means something; nothing else is thrown", () => {
    fc.assert(
      fc.property(text, (damaged) => {
        for (const parse of [parseYamlAcl, parseOriginalAcl]) {
          try {
            for (const rule of parse(damaged)) rule.names(caller({ subject: "alice-12" }));
          } catch (error) {
            if (!(error instanceof AclProblem)) throw error;
            expect(error.line).toBeLessThanOrEqual(damaged.split("\n").length);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("presets", () => {
  it("allow by declared risk; what does not exist only to full", () => {
    const risks = ["read", "change", "disruptive", undefined] as const;
    const allowed = (preset: "none" | "read-only" | "standard" | "full"): boolean[] =>
      risks.map((risk) => presetAllows(preset, risk));
    expect(allowed("none")).toEqual([false, false, false, false]);
    expect(allowed("read-only")).toEqual([true, false, false, false]);
    expect(allowed("standard")).toEqual([true, true, false, false]);
    expect(allowed("full")).toEqual([true, true, true, true]);
    expect(isPreset("full")).toBe(true);
    expect(isPreset("Full")).toBe(false);
    expect(isPreset("constructor")).toBe(false);
  });
});

describe("the subject of a certificate", () => {
  const folder = mkdtempSync(join(tmpdir(), "subject-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const key = join(folder, "key.pem");
  execFileSync("openssl", [
    "genpkey",
    "-algorithm",
    "EC",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-out",
    key,
  ]);

  it.each([
    // the original's subject, whose hash FUNC-SPEC 1.10 has as node02-2735269795
    "/C=UN/ST=FC/L=Certmaster-town/O=certmaster/OU=slave-key/CN=node02/emailAddress=root@node02",
    "/CN=web1.example.org",
    "/CN=host-CA-KEY",
    "/O=  Two   Words \t and more /CN=UPPER Case",
    "/CN=Zoë Äpfel",
    "/CN=first/CN=second",
    "/O=a+OU=b/CN=multi+serialNumber=12",
    "/serialNumber=00  12/CN=x",
    "/x500UniqueIdentifier=1/CN=y",
  ])("has OpenSSL's hash: %s", (subject) => {
    for (const mask of ["utf8only", "pkix", "nombstr", "default", "MASK:0x0900"]) {
      const config = join(folder, "c.cnf");
      execFileSync("sh", [
        "-c",
        `printf '[req]\\nstring_mask=${mask}\\ndistinguished_name=d\\n[d]\\n' > "$0"`,
        config,
      ]);
      const args = ["req", "-x509", "-key", key, "-config", config, "-utf8", "-multivalue-rdn"];
      const pem = execFileSync("openssl", [...args, "-subj", subject, "-days", "2"], {
        stdio: "pipe",
      });
      const printed = execFileSync("openssl", ["x509", "-noout", "-subject_hash"], { input: pem });
      const found = subjectNameOf(new X509Certificate(pem));
      expect(found?.hash).toBe(Number.parseInt(printed.toString(), 16));
      const first = /CN=([^/+]*)/.exec(subject)?.[1];
      expect(found?.commonName).toBe(first);
    }
  });

  it("has the decimal form that the original wrote", () => {
    const subject =
      "/C=UN/ST=FC/L=Certmaster-town/O=certmaster/OU=slave-key/CN=node02/emailAddress=root@node02";
    const pem = execFileSync(
      "openssl",
      ["req", "-x509", "-key", key, "-subj", subject, "-days", "2"],
      { stdio: "pipe" },
    );
    expect(subjectNameOf(new X509Certificate(pem))).toMatchObject({
      commonName: "node02",
      hash: 2735269795,
    });
  });
});
