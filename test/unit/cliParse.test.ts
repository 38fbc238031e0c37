import { describe, expect, it } from "vitest";
import { HELP, helpText } from "../../server/cli/help";
import { parseCommandLine, type Command } from "../../server/cli/parse";
import { FuncError } from "../../server/common/errors";

function command(...words: string[]): Command {
  return parseCommandLine(words).command;
}

function problem(...words: string[]): FuncError {
  try {
    parseCommandLine(words);
  } catch (error) {
    if (error instanceof FuncError) return error;
    throw error;
  }
  throw new Error(`no error for: ${words.join(" ")}`);
}

describe("func's command line", () => {
  it("passes everything behind METHOD on as it stands", () => {
    const call = { kind: "call", spec: "web1", module: "command", method: "run" };
    expect(command("web1", "call", "command", "run", "ls -l", "--json", "-t")).toEqual({
      ...call,
      args: ["ls -l", "--json", "-t"],
    });
    expect(command("web1", "call", "command", "run", "--", "-l", "--", "x")).toEqual({
      ...call,
      args: ["-l", "--", "x"],
    });
    expect(command("web1", "call", "command", "run", "--help")).toMatchObject({
      args: ["--help"],
    });
    expect(command("web1", "call", "command", "run")).toEqual({ ...call, args: [] });
  });

  it("takes options before and after SPEC and the command, until METHOD", () => {
    const wanted = {
      timeoutMs: 2500,
      forks: 8,
      json: true,
      typed: false,
      async: true,
      nopoll: true,
      home: "/x",
      calls: {},
    };
    const call = ["test", "add", "1"];
    for (const words of [
      ["-t", "2.5", "-f", "8", "-jan", "--home", "/x", "*", "call", ...call],
      ["--timeout=2.5", "*", "--forks=8", "call", "-jan", "--home=/x", ...call],
      ["-t2.5", "-f8", "*", "call", "--json", "--async", "test", "--nopoll", "--home", "/x"].concat(
        call.slice(1),
      ),
    ]) {
      expect(parseCommandLine(words)).toEqual({
        options: wanted,
        command: { kind: "call", spec: "*", module: "test", method: "add", args: ["1"] },
      });
    }
  });

  it("refuses --nopoll without --async, which would be waited for", () => {
    for (const words of [
      ["*", "call", "-n", "test", "ping"],
      ["--nopoll", "*", "ping"],
      ["-n", "jobs", "list"],
    ]) {
      expect(() => parseCommandLine(words)).toThrow(
        expect.objectContaining({
          reason: "bad-argument",
          message: expect.stringContaining("--nopoll goes with --async only") as string,
        }),
      );
    }
  });

  it("knows the commands of a target expression", () => {
    expect(command("web*;db1", "ping")).toEqual({ kind: "ping", spec: "web*;db1" });
    expect(command("*", "list_minions")).toEqual({ kind: "listMinions", spec: "*" });
    expect(command("web1", "methods")).toEqual({ kind: "methods", spec: "web1" });
    expect(command("web1", "methods", "command", "--json")).toEqual({
      kind: "methods",
      spec: "web1",
      module: "command",
    });
    const status = { kind: "jobStatus", spec: "*", job: "*-test-ping-1" };
    expect(command("*", "call", "--jobstatus", "*-test-ping-1")).toEqual(status);
    expect(command("*", "call", "*-test-ping-1", "-s")).toEqual(status);
  });

  it("takes --raw behind call, and by itself", () => {
    expect(command("web1", "call", "--raw", "command", "run", "cat x", "--raw")).toEqual({
      kind: "call",
      spec: "web1",
      module: "command",
      method: "run",
      args: ["cat x", "--raw"],
      raw: true,
    });
    for (const other of ["--json", "-an", "--jobstatus"]) {
      expect(problem("web1", "call", "--raw", other, "test", "ping").message).toContain("--raw");
    }
    expect(problem("web1", "--raw", "ping").message).toContain("--raw");
  });

  it("knows ca and overlord", () => {
    expect(
      command("ca", "token", "--name", "web*", "--minutes", "5", "--address=a:1", "--address", "b"),
    ).toEqual({ kind: "caToken", nameGlob: "web*", ttlMs: 300_000, addresses: ["a:1", "b"] });
    expect(command("ca", "token")).toEqual({ kind: "caToken", addresses: [] });
    expect(command("ca", "list", "--json")).toEqual({ kind: "caList" });
    const forget = { kind: "caForget", names: ["web1", "web2"] };
    expect(command("ca", "forget", "web1", "WEB2", "web1")).toEqual({ ...forget, yes: false });
    expect(command("ca", "forget", "web1", "--yes", "web2")).toEqual({ ...forget, yes: true });
    expect(command("ca", "renew")).toEqual({ kind: "caRenew" });
    expect(command("ca", "renew", "web*")).toEqual({ kind: "caRenew", spec: "web*" });
    expect(command("ca", "unlock", "--stdin")).toEqual({ kind: "caUnlock", stdin: true });
    const passphrase = { kind: "caPassphrase", stdin: false };
    expect(command("ca", "passphrase")).toEqual({ ...passphrase, remove: false });
    expect(command("ca", "passphrase", "--remove")).toEqual({ ...passphrase, remove: true });
    expect(problem("ca", "unlock", "never-so").reason).toBe("bad-argument");
    expect(command("overlord", "status")).toEqual({ kind: "overlordStatus" });
    expect(command("overlord", "stop", "--force")).toEqual({ kind: "overlordStop", force: true });
  });

  it("takes a map to check as an argument, too", () => {
    expect(command("map", "check")).toEqual({ kind: "mapCheck" });
    for (const words of [["/x/map"], ["--mapfile", "/x/map"], ["--mapfile=/x/map"]]) {
      expect(command("map", "check", ...words)).toEqual({ kind: "mapCheck", mapFile: "/x/map" });
    }
    expect(problem("map", "check", "a", "--mapfile", "b").message).toContain("one file");
    expect(problem("map", "check", "a", "b").message).toContain("too much");
    expect(problem("map", "check", "").message).toContain("empty");
    expect(helpText("build-map")).toContain("Exit status 1");
  });

  it("keeps words for later versions, and -- makes minions of them", () => {
    for (const word of "run completion".split(" ")) {
      expect(problem(word, "x").message).toContain(`"${word}" is reserved`);
    }
    expect(command("--", "jobs", "ping")).toEqual({ kind: "ping", spec: "jobs" });
    expect(command("-t", "1", "--", "map", "ping")).toEqual({ kind: "ping", spec: "map" });
    expect(problem("jobs", "ping").nextStep).toContain("func -- jobs ping");
  });

  it("knows what waits for an operator", () => {
    expect(command("ca", "waiting")).toEqual({ kind: "caWaiting" });
    expect(command("ca", "approve", "WEB1")).toEqual({
      kind: "caApprove",
      name: "web1",
      yes: false,
    });
    const words = "acid-acid-acid-acid-acid-acid-acid-zebra";
    expect(command("ca", "approve", "web1", "--yes", "--fingerprint", words)).toEqual({
      kind: "caApprove",
      name: "web1",
      fingerprint: "00000000000000ff",
      yes: true,
    });
    const hex = "ab".repeat(32);
    expect(command("ca", "deny", `--fingerprint=${hex}`, "web1")).toEqual({
      kind: "caDeny",
      name: "web1",
      fingerprint: hex,
    });
    expect(command("ca", "approval", "on")).toEqual({ kind: "caApproval", forMs: 3_600_000 });
    expect(command("ca", "approval", "on", "--minutes", "5")).toEqual({
      kind: "caApproval",
      forMs: 300_000,
    });
    expect(command("ca", "approval", "off")).toEqual({ kind: "caApproval", forMs: 0 });
    expect(command("ca", "close", "00c0ffee")).toEqual({ kind: "caClose", tokenId: "00c0ffee" });
    for (const wrong of [
      ["approve"],
      ["approve", "a", "b"],
      ["approve", "../x"],
      ["approve", "web1", "--fingerprint", "acid"],
      ["deny", "web1", "--yes"],
      ["approval"],
      ["approval", "maybe"],
      ["approval", "off", "--minutes", "5"],
      ["approval", "on", "--minutes", "1441"],
      ["close"],
      ["waiting", "x"],
    ]) {
      expect(problem("ca", ...wrong).reason).toBe("bad-argument");
    }
  });

  it("knows the original's certmaster-ca, with options of its own", () => {
    const kind = "certmasterCa";
    expect(command("certmaster-ca", "-l")).toEqual({ kind, action: "list" });
    expect(command("certmaster-ca", "-s", "a", "b*")).toEqual({
      kind,
      action: "sign",
      hosts: ["a", "b*"],
    });
    expect(command("certmaster-ca", "--ca", "", "--clean", "a")).toMatchObject({ action: "clean" });
    expect(parseCommandLine(["--home", "/d", "certmaster-ca", "--list-signed"]).options.home).toBe(
      "/d",
    );
    expect(parseCommandLine(["certmaster-ca", "-l", "--home", "/d"]).options.home).toBe("/d");
    expect(problem("certmaster-ca", "--ca", "x", "-l").message).toContain('no CA "x"');
  });

  it("knows audit", () => {
    expect(command("audit", "show")).toEqual({ kind: "auditShow" });
    expect(command("audit", "show", "--last", "5")).toEqual({ kind: "auditShow", last: 5 });
    const sinceMs = Date.parse("2026-11-22T08:30Z");
    expect(command("audit", "show", "--since=2026-11-22T08:30Z", "--json")).toEqual({
      kind: "auditShow",
      sinceMs,
    });
    expect(command("audit", "verify")).toEqual({ kind: "auditVerify" });
    expect(problem("audit", "show", "--since", "yesterday").message).toContain("--since needs");
    expect(problem("audit", "show", "--last", "0").message).toContain("--last needs");
    expect(problem("audit", "show", "--last", "2", "--since", "2h").message).toContain("go with");
    expect(problem("audit").nextStep).toMatch(/^func audit show/);
  });

  it("shows the usage of ca and overlord where they stand alone", () => {
    expect(problem("ca").nextStep).toMatch(/^func ca token .*\n +a token[^]*\nfunc ca forget NAME/);
    expect(problem("ca").nextStep).not.toContain("func overlord");
    expect(problem("overlord").nextStep).toMatch(/^func overlord status \| stop/);
  });

  it("knows group", () => {
    expect(command("group")).toEqual({ kind: "groupList" });
    expect(command("group", "list", "-j")).toEqual({ kind: "groupList" });
    const web = { name: "web", hosts: ["web*", "a,b"] };
    expect(command("group", "add", "web", "web*", "a,b")).toEqual({ kind: "groupAdd", ...web });
    expect(command("group", "remove", "web", "web*", "a,b")).toEqual({
      kind: "groupRemove",
      ...web,
    });
    expect(command("group", "remove", "web")).toMatchObject({ kind: "groupRemove", hosts: [] });
    expect(command("--", "group", "ping")).toEqual({ kind: "ping", spec: "group" });
    expect(problem("*", "group").message).toContain("stands first");
  });

  it("takes all that follows -- as operands, but behind a leading -- only the target", () => {
    for (const words of [
      ["add", "--", "web", "-e"],
      ["add", "web", "--", "-e"],
      ["--", "add", "web", "-e"],
    ]) {
      expect(command("group", ...words)).toEqual({ kind: "groupAdd", name: "web", hosts: ["-e"] });
    }
    expect(command("group", "add", "-j", "--", "-x", "--", "-h")).toEqual({
      kind: "groupAdd",
      name: "-x",
      hosts: ["--", "-h"],
    });
    expect(problem("group", "remove", "web", "--", "").message).toContain("empty");
    expect(problem("ca", "forget", "--", "web1", "--yes").message).toContain('"--yes"');
    expect(command("*", "call", "--", "test", "-s", "-x")).toMatchObject({
      method: "-s",
      args: ["-x"],
    });
    const { options } = parseCommandLine(["--", "jobs", "call", "-j", "test", "ping"]);
    expect(options.json).toBe(true);
    expect(command("--", "jobs", "call", "--", "test", "-s")).toMatchObject({ method: "-s" });
  });

  it("takes --exclude before and after SPEC, several as a union", () => {
    for (const words of [
      ["-e", "web9;@db", "*", "ping"],
      ["*", "ping", "--exclude=web9;@db"],
      ["-e", "web9", "*", "call", "-e", "@db", "test", "ping"],
    ]) {
      expect(parseCommandLine(words).options.exclude).toBe("web9;@db");
    }
  });

  it("answers --help and --version wherever they stand before METHOD", () => {
    for (const words of [["-h"], ["--help", "x"], ["*", "call", "--help"], ["help"]]) {
      expect(command(...words)).toEqual({ kind: "help" });
    }
    expect(() => command("help", "x")).toThrow('nothing to say about "x"');
    for (const words of [
      ["ca", "-h"],
      ["ca", "token", "--help"],
      ["-h", "ca"],
      ["help", "ca"],
      ["ca", "forget", "--help"],
    ]) {
      expect(command(...words)).toEqual({ kind: "help", topic: "ca" });
    }
    for (const topic of ["jobs", "group", "overlord", "audit", "add-host", "remove-host"]) {
      expect(command(topic, "--help")).toEqual({ kind: "help", topic });
      const lines = helpText(topic).split("\n");
      expect(lines[0]).toMatch(/^Usage:$/);
      expect(lines.filter((line) => line.startsWith("  func ")).join()).not.toMatch(
        new RegExp(`  func (?!${topic} )`),
      );
      expect(lines.slice(-2)).toEqual(["func --help tells all.", ""]);
    }
    expect(helpText()).toBe(HELP);
    expect(command("--", "help", "ping")).toEqual({ kind: "ping", spec: "help" });
    expect(command("--version")).toEqual({ kind: "version" });
  });

  it("takes numbers as plain decimals within their limits, and says so", () => {
    for (const text of ["0.001", ".5", "2.", "86400"]) {
      expect(parseCommandLine(["-t", text, "*", "ping"]).options.timeoutMs).toBe(
        Number(text) * 1000,
      );
    }
    for (const text of ["1e-9", "0.0001", "0", "-1", "86400.1", "5s", "", "\u0663", "1\n"]) {
      expect(problem("-t", text, "*", "ping").message).toBe(
        `--timeout needs a plain number of seconds from 0.001 to 86400, such as 2.5, not "${text}".`,
      );
    }
    for (const text of ["1.5", "0", "1e1", "10001"]) {
      expect(problem("-f", text, "*", "ping").message).toBe(
        `--forks needs a whole number from 1 to 10000, not "${text}".`,
      );
    }
    for (const text of ["0.001", "1e9", "1441"]) {
      expect(problem("ca", "token", "--minutes", text).message).toBe(
        `--minutes needs a plain number of minutes from 1 to 1440, such as 15, not "${text}".`,
      );
    }
  });

  it("says in its help what bytes are in JSON", () => {
    const words = HELP.replace(/\s+/g, " ");
    expect(words).toContain("bytes that are no UTF-8 text are base64, a string like any other");
    expect(words).toContain('mark bytes as {"$base64": "aGk="}');
  });

  it("points to the help of the command that was typed wrongly", () => {
    for (const [topic, ...words] of [
      ["certmaster-ca", "--foo"],
      ["certmaster-ca", "--list", "web1"],
      ["certmaster-ca"],
      ["ca", "list", "--foo"],
      ["ca", "revoke"],
      ["remove-host", "--foo"],
    ]) {
      expect(problem(String(topic), ...words).nextStep).toBe(`See "func ${String(topic)} --help".`);
    }
    const { message, nextStep } = problem("ca", "frob");
    expect(message).toMatch(/^func ca needs one of: token, .*; not "frob"\.$/);
    expect(nextStep).toBe('See "func ca --help".\nFor a minion named ca: func -- ca ping');
    expect(problem("audit", "frob").nextStep).toContain("func audit verify");
    expect(problem("*", "ping", "--foo").nextStep).toContain('See "func --help".');
    expect(command("certmaster-ca", "--help")).toEqual({ kind: "certmasterCa", action: "help" });
    for (const option of ["--ssh-option KEY=VALUE", "--identity FILE"]) {
      expect(helpText("remove-host")).toContain(option);
    }
  });

  it("refuses what it does not understand", () => {
    for (const words of [
      [],
      ["*"],
      ["*", "dance"],
      ["*", "call"],
      ["*", "call", "test"],
      ["*", "call", "--jobstatus"],
      ["*", "call", "--jobstatus", "a", "b"],
      ["*", "ping", "web1"],
      ["-t", "0", "*", "ping"],
      ["-t", "soon", "*", "ping"],
      ["-t", "-1", "*", "ping"],
      ["-t", "0x10", "*", "ping"],
      ["-t"],
      ["-f", "1.5", "*", "ping"],
      ["--home", "", "*", "ping"],
      ["--home=", "*", "ping"],
      ["--json=yes", "*", "ping"],
      ["--unknown", "*", "ping"],
      ["ca", "revoke"],
      ["ca", "forget"],
      ["ca", "forget", "web*"],
      ["*", "methods", "a", "b"],
      ["jobs", "cancel"],
      ["overlord", "list", "--force"],
      ["group", "drop", "web"],
      ["group", "add", "web"],
      ["group", "add"],
      ["group", "remove"],
      ["group", "remove", "web", ""],
      ["group", "list", "web"],
      ["-e", "", "*", "ping"],
      ["*", "ping", "--exclude"],
      ["-e", "web1", "ca", "forget", "web1", "web2"],
      ["-e", "web1", "group", "list"],
    ]) {
      expect(problem(...words).reason).toBe("bad-argument");
    }
    expect(problem("*", "call", "--mapfile", "m", "test", "ping").message).toContain("--delegate");
    expect(problem("--delegate", "jobs", "list").message).toContain("target expression");
    expect(problem("*", "copyfile").message).toContain("original");
  });
});
