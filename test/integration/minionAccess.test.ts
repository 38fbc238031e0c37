import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, rename, rm, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { WireClient } from "../../server/wire/wireClient";
import { AccessLab, type ClientFiles } from "../fixtures/accessLab";

const OPERATORS_TEST = `allow: [{roles: [operator], methods: ["test.*", "jobs.*"]}]\n`;
/** Each change of a file is seen a second later. */
const MANY_CHANGES_MS = 180_000;
const PLAIN_DENIAL = "<class 'func.minion.codes.AccessToMethodDenied'>:";

let lab: AccessLab;
let overlord: WireClient;
let operator: WireClient;
let operatorFiles: ClientFiles;

beforeAll(async () => {
  lab = await AccessLab.start();
  overlord = lab.client(await lab.credentials("overlord", "boss"));
  operatorFiles = await lab.credentials("operator", "alice");
  operator = lab.client(operatorFiles);
});

afterEach(async () => {
  await lab.noRules();
  const file = join(lab.home, "minion.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^access:.*\n/m, ""));
  await lab.serve(); // while it runs, rules that vanish keep denying
  await until(operator, "command.run", /^ok/);
});

afterAll(async () => {
  await lab.close();
});

function access(presets: string): void {
  const file = join(lab.home, "minion.yaml");
  writeFileSync(file, `access: ${presets}\n${readFileSync(file, "utf8")}`);
}

/** Settles once the minion decides by the files as they are now. */
async function until(client: WireClient, method: string, outcome: RegExp): Promise<void> {
  await expect
    .poll(() => lab.outcome(client, method, ["/bin/ls"]), { timeout: 10_000 })
    .toMatch(outcome);
}

/** The original's client: no ALPN, plain XML-RPC. */
function python(files: ClientFiles, calls: [string, unknown[]][]): unknown[] {
  const path = (name: string, text: string): string => {
    const file = join(lab.root, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const args = [
    `https://${lab.peer.address}:${lab.peer.port}/RPC2`,
    path("ca.pem", lab.ca),
    path("client.crt", files.certificate),
    path("client.key", files.key),
  ];
  const run = spawnSync("python3", ["test/fixtures/python/client.py", ...args], {
    input: JSON.stringify(calls),
    encoding: "utf8",
    timeout: 30_000,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as unknown[];
}

function opensslHash(certificate: string): number {
  const printed = execFileSync("openssl", ["x509", "-noout", "-subject_hash"], {
    input: certificate,
  });
  return Number.parseInt(printed.toString(), 16);
}

describe("without rules", () => {
  it("overlords and operators may call everything, others nothing", async () => {
    const cnOnly = lab.client(lab.cnOnly("/CN=old1"));
    const minion = lab.client(await lab.credentials("minion", "web9"));
    const table: [string, unknown[], string][] = [
      ["test.ping", [], "ok 1"],
      ["command.run", ["true"], "ok"],
      ["async.test.ping", [], "ok "],
      ["system.list_methods", [], "ok"],
      ["trait_names", [], "ok"],
      ["nosuch.method", [], 'error "func.minion.codes.ModuleNotFoundException"'],
      ["async.", [], "denied"],
    ];
    for (const [method, params, expected] of table) {
      for (const client of [overlord, operator]) {
        expect(await lab.outcome(client, method, params as string[])).toContain(expected);
      }
      for (const client of [cnOnly, minion]) {
        expect(await lab.outcome(client, method, params as string[])).toMatch(/^refused/);
      }
    }
    await expect
      .poll(async () => (await lab.audit()).map(({ outcome }) => String(outcome)).join("\n"))
      .toMatch(/refused: .*\(old1-\d+\), and no access rule names it/);
  });
});

describe("presets", () => {
  it("limit operators by the risk of methods, in all ways in", async () => {
    access("{operators: read-only}");
    await until(operator, "command.run", /^denied/);
    const table: [string, unknown[], string][] = [
      ["test.ping", [], "ok 1"],
      ["async.test.ping", [], "ok "],
      ["system.list_methods", [], "ok"],
      ["trait_names", [], "ok"],
      ["command.run", ["true"], "denied no access rule allows operator alice"],
      ["async.command.run", ["true"], "denied no access rule allows operator alice"],
      ["jobs.cancel", ["x"], "denied"],
      ["test.config_set", ["int_option", 1], "denied"],
      ["async.async.test.ping", [], "denied"],
      ["nosuch.method", [], "denied"],
      ["test.nosuch", [], "denied"],
      ["constructor.constructor", [], "denied"],
      ["trust.set_revocations", [""], "denied"],
    ];
    for (const [method, params, expected] of table) {
      expect(await lab.outcome(operator, method, params as string[])).toContain(expected);
    }
    expect(await lab.outcome(overlord, "command.run", ["true"])).toBe("ok");
    // what an original sees is what it has always seen
    expect(
      python(operatorFiles, [
        ["test.ping", []],
        ["command.run", ["true"]],
      ]),
    ).toEqual([{ ok: 1 }, { fault: [1, PLAIN_DENIAL] }]);
    const denied = (await lab.audit()).filter(({ outcome }) => outcome === "denied");
    expect(denied.at(-1)).toMatchObject({
      originator: "operator:alice",
      method: "command.run",
      reason: "no access rule allows operator alice to call command.run like this",
    });
  });

  it("leave the overlord what it needs to put things right", async () => {
    access("{overlord: none, operators: standard}");
    await until(overlord, "command.run", /^denied/);
    for (const method of ["test.ping", "system.describe", "trust.status"]) {
      expect(await lab.outcome(overlord, method)).toMatch(/^ok/);
    }
    expect(await lab.outcome(overlord, "trust.nosuch")).toMatch(/^denied/);
    expect(await lab.outcome(operator, "command.run", ["true"])).toBe("ok");
  });
});

describe("rules in files", () => {
  it("are read anew without a lost call, as often as they change", async () => {
    await lab.rule("ops.acl.yaml", OPERATORS_TEST);
    await until(operator, "command.exists", /^denied/);
    const wrong: string[] = [];
    const counts = { calls: 0 };
    const ending = { now: false };
    const callers = [overlord, overlord, operator, operator].map(async (client) => {
      while (!ending.now) {
        const outcome = await lab.outcome(client, "test.ping");
        counts.calls++;
        if (outcome !== "ok 1") wrong.push(outcome);
      }
    });
    for (let turn = 0; turn < 6; turn++) {
      const more = turn % 2 === 0 ? `\n# turn ${turn}\n` : "";
      await lab.rule("ops.acl.yaml", OPERATORS_TEST + more);
      await lab.rule(`more${turn}.acl`, `nobody-${turn} = test.ping\n`);
      const allowed = turn % 2 === 0;
      await lab.rule("run.acl", allowed ? "alice-* = command.exists\n" : "# nobody\n");
      await until(operator, "command.exists", allowed ? /^ok/ : /^denied/);
    }
    ending.now = true;
    await Promise.all(callers);
    expect(wrong).toEqual([]);
    expect(counts.calls).toBeGreaterThan(100);
  });

  it("admit certificates of the original by their subject, in its own format", async () => {
    const files = lab.cnOnly(
      "/C=UN/ST=FC/L=Certmaster-town/O=certmaster/OU=slave-key/CN=node02/emailAddress=root@node02",
    );
    const other = lab.client(lab.cnOnly("/CN=node02"));
    expect(opensslHash(files.certificate)).toBe(2735269795);
    await lab.rule("old.acl", "# ours\nnode02-2735269795 = test.*, jobs.job_status\n");
    const client = lab.client(files);
    await until(client, "test.ping", /^(ok|error)/);
    expect(await lab.outcome(client, "test.ping")).toBe("ok 1");
    expect(await lab.outcome(client, "async.test.ping")).toMatch(/^ok /);
    expect(await lab.outcome(client, "system.list_methods")).toMatch(/^denied/);
    expect(await lab.outcome(client, "nosuch.method")).toMatch(/^denied/);
    expect(await lab.outcome(other, "test.ping")).toMatch(/^refused/);
    expect(
      python(files, [
        ["test.ping", []],
        ["command.run", ["true"]],
      ]),
    ).toEqual([{ ok: 1 }, { fault: [1, PLAIN_DENIAL] }]);
    expect((await lab.audit()).at(-1)).toMatchObject({
      role: "cn-only",
      originator: "cn-only:node02",
    });
    // a rule taken away ends the held connection too
    await lab.rule("old.acl", "");
    await expect
      .poll(() => lab.outcome(client, "test.ping"), { timeout: 10_000 })
      .toMatch(/^refused/);
  });

  it(
    "deny, and tell the overlord which file and line is wrong",
    async () => {
      const acls = join(lab.home, "acls");
      const file = join(acls, "team.acl.yaml");
      const good = "allow:\n  - roles: [operator]\n    preset: full\n";
      const cases: [string, () => unknown, string][] = [
        ["bad YAML", () => lab.rule("team.acl.yaml", "allow:\n  - roles: [operator\n"), ":3: "],
        [
          "an unknown key",
          () => lab.rule("team.acl.yaml", `${good}    metods: [a]\n`),
          ":4: unknown key",
        ],
        [
          "the original's format, broken",
          () => lab.rule("a.acl", "# x\nbob-1 test.*\n"),
          "a.acl:2: ",
        ],
        ["no UTF-8", () => lab.rule("team.acl.yaml", Buffer.from([0x61, 0xff])), "team.acl.yaml: "],
        ["writable by all", () => chmod(file, 0o666), ": can be written by everybody"],
        ["a folder writable by all", () => chmod(acls, 0o777), "acls: can be written by everybody"],
        ["too large", () => truncate(file, 1024 * 1024 + 1), ": is larger than 1048576 bytes"],
        ["a directory", () => rm(file).then(() => mkdirSync(file)), "team.acl.yaml: "],
        ["a pipe", () => execFileSync("mkfifo", [join(acls, "p.acl")]), "p.acl: is no file"],
        ["a loop of links", () => symlink("l.acl", join(acls, "l.acl")), "l.acl: "],
        [
          "a file for the folder",
          () => rm(acls, { recursive: true }).then(() => writeFileSync(acls, "")),
          "acls: ",
        ],
        ["minion.yaml", () => access("{operators: some}"), 'minion.yaml:1: "operators" has to be'],
        [
          "too many",
          () => {
            for (let at = 0; at <= 1_000; at++) writeFileSync(join(acls, `${at}.acl`), "");
          },
          "acls: holds more than 1000 files",
        ],
      ];
      for (const [what, spoil, expected] of cases) {
        await lab.rule("team.acl.yaml", good);
        await until(operator, "command.exists", /^ok/);
        await spoil();
        await until(overlord, "command.exists", /^denied/);
        const told = await lab.outcome(overlord, "command.exists", ["/bin/ls"]);
        expect(told, what).toContain("no call is allowed while the access rules are wrong: ");
        expect(told, what).toContain(expected);
        expect(await lab.outcome(operator, "test.ping"), what).toBe(
          "denied the access rules are wrong",
        );
        expect(await lab.outcome(overlord, "test.ping"), what).toBe("ok 1");
        expect(await lab.outcome(overlord, "trust.status"), what).toMatch(/^ok/);
        expect(lab.log, what).toContain("the access rules are wrong");
        const last = (await lab.audit()).findLast(({ outcome }) => outcome === "denied");
        expect(last?.["reason"], what).toContain(expected);
        await lab.noRules();
        const yaml = join(lab.home, "minion.yaml");
        writeFileSync(yaml, readFileSync(yaml, "utf8").replace(/^access:.*\n/m, ""));
        await lab.serve();
      }
    },
    MANY_CHANGES_MS,
  );
});

describe("rules that vanish", () => {
  it("keep denying, loudly, until they are back", async () => {
    await lab.rule("ops.acl.yaml", OPERATORS_TEST);
    await until(operator, "command.run", /^denied/);
    await rename(join(lab.home, "acls"), join(lab.root, "acls-aside"));
    await until(overlord, "command.exists", /^denied/);
    const told = await lab.outcome(overlord, "command.exists", ["/bin/ls"]);
    expect(told).toContain(`${join(lab.home, "acls")} was there and is gone: put it back`);
    for (const method of ["command.run", "test.ping"]) {
      expect(await lab.outcome(operator, method)).toBe("denied the access rules are wrong");
    }
    expect(lab.log).toMatch(/"level":"error".*was there and is gone/);
    const noted = async (): Promise<unknown> =>
      (await lab.audit()).findLast(({ event }) => event === "access-rules");
    expect(await noted()).toMatchObject({ outcome: "wrong: calls are denied" });
    await rename(join(lab.root, "acls-aside"), join(lab.home, "acls"));
    await until(operator, "test.echo", /^ok/);
    expect(await noted()).toMatchObject({ outcome: "in use" });
  });
});

describe("a request that was begun before another's", () => {
  it("has the caller of its own connection, whoever calls meanwhile", async () => {
    const files = lab.cnOnly("/CN=parked");
    await lab.rule("p.acl", `parked-${opensslHash(files.certificate)} = test.ping\n`);
    const client = lab.client(files);
    await expect.poll(() => lab.outcome(client, "test.ping"), { timeout: 10_000 }).toBe("ok 1");
    const mark = join(lab.root, "mark");
    const body =
      "<?xml version='1.0'?><methodCall><methodName>command.run</methodName><params><param><value>" +
      `<string>touch ${mark}</string></value></param></params></methodCall>`;
    const socket = await parked(files, body);
    for (let at = 0; at < 20; at++) {
      expect(await lab.outcome(overlord, "command.run", ["true"])).toBe("ok");
      if (at === 10) socket.write(body.slice(60, 90));
    }
    const calls = Array.from({ length: 20 }, () => lab.outcome(overlord, "command.run", ["true"]));
    socket.write(body.slice(90));
    expect(await answerOf(socket)).toContain("AccessToMethodDenied");
    expect(await Promise.all(calls)).toEqual(calls.map(() => "ok"));
    expect(existsSync(mark)).toBe(false);
    const denied = (await lab.audit()).filter(({ outcome }) => outcome === "denied");
    expect(denied.at(-1)).toMatchObject({ originator: "cn-only:parked", method: "command.run" });
  });
});

/** A connection that has sent its headers and the first bytes of its body. */
async function parked({ key, certificate }: ClientFiles, body: string): Promise<TLSSocket> {
  const { address, port } = lab.peer;
  const socket = connect({
    host: address,
    port,
    key,
    cert: certificate,
    ca: lab.ca,
    checkServerIdentity: () => undefined,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve).once("error", reject);
  });
  socket.write(
    `POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.slice(0, 60));
  return socket;
}

async function answerOf(socket: TLSSocket): Promise<string> {
  let text = "";
  for await (const piece of socket as AsyncIterable<Buffer>) {
    text += piece.toString();
    if (text.includes("</methodResponse>")) break;
  }
  return text;
}

describe("the audit log of a minion", () => {
  function funcd(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    return new Promise((resolve) => {
      const all = [lab.script, ...args, "--home", lab.home];
      const child = execFile(process.execPath, all, (_error, out, err) => {
        resolve({ code: child.exitCode, out, err });
      });
    });
  }

  it("is shown and verified on its host, while it is written and after a restart", async () => {
    const calling = Promise.all(
      Array.from({ length: 200 }, () => lab.outcome(overlord, "test.ping")),
    );
    const verified = await funcd("audit", "verify");
    await calling;
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.out).toContain("The audit log is whole: lines 1 to ");
    expect((await funcd("audit", "show", "--last", "1")).out).toMatch(
      /^\d+ \S+ test\.ping role=overlord name=boss .*: ok\n$/,
    );
    await lab.serve();
    await expect.poll(() => lab.outcome(overlord, "test.ping")).toBe("ok 1");
    const report = await funcd("audit", "verify", "--json");
    expect(JSON.parse(report.out)).toMatchObject({ ok: true, recovered: [] });
    const file = join(lab.home, "audit.log");
    const text = readFileSync(file, "utf8"); // a long log begins anew: what was denied is not in it
    writeFileSync(file, text.replace('"outcome":"ok"', '"outcome":"never"'));
    const broken = await funcd("audit", "verify");
    expect(broken.code).toBe(1);
    const told = await overlord.call(lab.peer, "system.audit_verify", [], { timeoutMs: 20_000 });
    const line = text.split("\n").findIndex((one) => one.includes('"outcome":"ok"')) + 1;
    expect(JSON.stringify(told)).toContain(`log is not whole: ${file}:${line}: `);
    expect(broken.out).toContain(`${file}:${line}: the line is not as it was written`);
    // with what was written since
    const now = readFileSync(file, "utf8");
    writeFileSync(file, now.replace('"outcome":"never"', '"outcome":"ok"'));
    expect(await funcd("audit", "verify")).toMatchObject({ code: 0 });
    const all = Array.from({ length: 5 }, () =>
      overlord.call(lab.peer, "system.audit_verify", [], { timeoutMs: 20_000 }),
    );
    for (const one of await Promise.all(all)) expect(one).toMatchObject({ ok: true });
    expect(await funcd("audit", "show", "--since", "soon")).toMatchObject({ code: 2 });
  });
});
