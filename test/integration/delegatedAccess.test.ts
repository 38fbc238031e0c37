import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifyReceipt } from "../../server/pki/documents/resultReceipt";
import type { ResultReceipt } from "../../server/protocol/delegation";
import type { JsonValue } from "../../server/protocol/value";
import { digestOfValue } from "../../server/wire/valueDigest";
import type { XmlRpcValue } from "../../server/wire/value";
import type { WireClient } from "../../server/wire/wireClient";
import { AccessLab } from "../fixtures/accessLab";
import { OriginatorDouble } from "../fixtures/originatorDouble";

const LIMIT_MS = 120_000;
const DENIED = /^denied|AccessToMethodDenied/;

let lab: AccessLab;
let mid: WireClient;
let other: WireClient;
let operator: WireClient;
let top: OriginatorDouble;
let count = 0;

beforeAll(async () => {
  lab = await AccessLab.start();
  mid = lab.client(await lab.credentials("overlord", "mid1"));
  other = lab.client(await lab.credentials("overlord", "mid2"));
  operator = lab.client(await lab.credentials("operator", "alice"));
}, LIMIT_MS);

afterAll(() => lab.close(), LIMIT_MS);

/** Each with an originator that the minion has just learnt. */
beforeEach(async () => {
  top = new OriginatorDouble(`top${++count}`);
  expect(await lab.outcome(mid, "trust.add_originator", [top.name, top.publicKey])).toMatch(/^ok/);
});

function target(callId = `call ${Math.random()}`) {
  return { name: "web1", callId };
}

/** Answers of the wire as they are; the text of a fault where there is one. */
async function ask(client: WireClient, method: string, params: XmlRpcValue[] = []) {
  try {
    return await client.call(lab.peer, method, params, { timeoutMs: 20_000 });
  } catch (error) {
    return `fault ${error instanceof Error && "faultString" in error ? String(error.faultString) : String(error)}`;
  }
}

/** The value of the pair, its receipt checked. */
function signedValue(pair: XmlRpcValue, callId: string): XmlRpcValue {
  if (!Array.isArray(pair) || pair.length !== 2)
    throw new Error(`no pair: ${JSON.stringify(pair)}`);
  const [value = null, text] = pair;
  const receipt = JSON.parse(typeof text === "string" ? text : "") as ResultReceipt;
  expect(verifyReceipt(receipt, { callId, digest: digestOfValue(value) })).toMatch(
    /^[0-9a-f]{64}$/,
  );
  return value;
}

async function ended(client: WireClient, jobId: XmlRpcValue): Promise<XmlRpcValue> {
  const answer = await ask(client, "jobs.wait", [jobId, 20]);
  expect(answer).toMatchObject({ 0: 1 });
  return Array.isArray(answer) ? (answer[1] ?? null) : null;
}

/** "ok" or "denied" over each way that the method can be called. */
async function overAllWays(client: WireClient, method: string, args: JsonValue[]) {
  const told = (answer: XmlRpcValue): string =>
    DENIED.test(JSON.stringify(answer).replace(/^"fault /, "")) ? "denied" : "ok";
  const execute = (isAsync: boolean): string =>
    top.execute(target(), method, args, { async: isAsync });
  return {
    direct: told(await ask(client, method, args)),
    async: told(await ask(client, `async.${method}`, args)),
    signed: told(await ask(client, "delegation.execute", [execute(false)])),
    signedAsync: told(await ask(client, "async.delegation.execute", [execute(true)])),
  };
}

async function until(client: WireClient, method: string, outcome: RegExp): Promise<void> {
  await expect
    .poll(() => lab.outcome(client, method, ["true"]), { timeout: 10_000 })
    .toMatch(outcome);
}

describe("a call that its originator has signed", () => {
  it(
    "runs in the originator's name, sync and async, and its result is signed",
    async () => {
      const one = target();
      const document = top.execute(one, "command.run", ["echo one; exit 3"]);
      const pair = await ask(mid, "delegation.execute", [document]);
      expect(signedValue(pair, one.callId)).toEqual([3, "one\n", ""]);
      for (const [method, args, value] of [
        ["command.run", ["echo two"], [0, "two\n", ""]],
        ["test.add", [1, 2], 3],
        ["test.explode", [], expect.arrayContaining(["REMOTE_ERROR"])],
      ] as const) {
        const two = target();
        const started = top.execute(two, method, [...args], { async: true });
        const jobId = await ask(mid, "async.delegation.execute", [started]);
        expect(signedValue(await ended(mid, jobId), two.callId)).toEqual(value);
        const status = await ask(mid, "jobs.job_status", [jobId]);
        expect(Array.isArray(status) && signedValue(status[1] ?? null, two.callId)).toEqual(value);
      }
      const line = (await lab.audit()).find(({ callId }) => callId === one.callId);
      expect(line).toMatchObject({
        originator: `overlord:${top.name}`,
        via: "overlord:mid1",
        role: "originator",
        name: top.name,
        method: "command.run",
      });
    },
    LIMIT_MS,
  );

  it(
    "runs once, over whatever way it comes, also after a restart",
    async () => {
      const file = join(lab.root, `runs-${top.name}`);
      const [sync, started] = [target(), target()];
      const document = top.execute(sync, "command.run", [`echo run >> ${file}`]);
      const args = [`echo run >> ${file}`];
      const async = top.execute(started, "command.run", args, { async: true });
      const first = await ask(mid, "delegation.execute", [document]);
      expect(signedValue(await ask(other, "delegation.execute", [document]), sync.callId)).toEqual(
        signedValue(first, sync.callId),
      );
      const jobId = await ask(mid, "async.delegation.execute", [async]);
      expect(await ask(other, "async.delegation.execute", [async])).toBe(jobId);
      await ended(other, jobId);
      await lab.serve();
      expect(await ask(other, "async.delegation.execute", [async])).toBe(jobId);
      const again = signedValue(await ask(mid, "delegation.execute", [document]), sync.callId);
      expect(again).toMatchObject({ 0: "REMOTE_ERROR" });
      expect(readFileSync(file, "utf8")).toBe("run\nrun\n");
    },
    LIMIT_MS,
  );

  it(
    "is refused where the hop has changed what it says, and runs nothing",
    async () => {
      const file = join(lab.root, `altered-${top.name}`);
      const targets = [target("call a"), { name: "web2", callId: "call b" }];
      const [own, others] = top.documents(targets, "command.run", ["true"]);
      if (!own || !others) throw new Error("no documents");
      const text = (from: string, to: string) => ({
        ...own,
        call: { ...own.call, text: own.call.text.replace(from, to) },
      });
      const tampered = [
        text('"true"', JSON.stringify(`touch ${file}`)),
        text("command.run", "test.ping"),
        text(top.name, "another"),
        { ...own, target: { ...own.target, callId: "call b" } },
        { ...own, target: { ...own.target, callId: "call c" } },
        { ...own, target: { ...others.target, name: "web1" } },
        others,
        { ...own, call: { ...own.call, publicKey: new OriginatorDouble("x").publicKey } },
      ];
      for (const document of tampered) {
        const answer = await ask(mid, "delegation.execute", [JSON.stringify(document)]);
        expect(answer).toMatchObject({
          0: "REMOTE_ERROR",
          1: expect.stringMatching(DENIED) as string,
        });
      }
      const late = { issuedAtMs: 1_000, validUntilMs: 2_000 };
      const old = top.execute(target(), "command.run", [`touch ${file}`], late);
      expect(JSON.stringify(await ask(mid, "delegation.execute", [old]))).toContain("clocks");
      // signed to be sync, and started
      const wrong = await ask(mid, "async.delegation.execute", [JSON.stringify(own)]);
      expect(JSON.stringify(wrong)).toContain("not async");
      expect(() => readFileSync(file)).toThrow();
      // what is not changed still runs
      const pair = await ask(mid, "delegation.execute", [JSON.stringify(own)]);
      expect(signedValue(pair, "call a")).toEqual([0, "", ""]);
    },
    LIMIT_MS,
  );

  it("is refused of an originator that is not known, or known by another key", async () => {
    const stranger = new OriginatorDouble(`stranger${count}`);
    const document = stranger.execute(target(), "test.ping", []);
    const answer = await ask(mid, "delegation.execute", [document]);
    expect(answer).toMatchObject({ 1: "func.minion.codes.UnknownOriginatorException" });
    const impostor = new OriginatorDouble(top.name);
    const added = await ask(mid, "trust.add_originator", [impostor.name, impostor.publicKey]);
    expect(JSON.stringify(added)).toContain(`funcd originator forget ${top.name}`);
    const forged = impostor.execute(target(), "test.ping", []);
    expect(JSON.stringify(await ask(mid, "delegation.execute", [forged]))).toContain("another key");
    expect(await lab.outcome(operator, "trust.add_originator", ["x", top.publicKey])).toMatch(
      /AccessToMethodDenied/,
    );
  });

  it("is let in again once somebody on the host has forgotten the old key", async () => {
    const home = ["--home", lab.home];
    const funcd = (...words: string[]): string =>
      execFileSync(process.execPath, [lab.script, "originator", ...words, ...home]).toString();
    expect(funcd("list")).toContain(`${top.name}  key `);
    funcd("forget", top.name);
    const next = new OriginatorDouble(top.name);
    await ask(mid, "trust.add_originator", [next.name, next.publicKey]);
    const one = target();
    const pair = await ask(mid, "delegation.execute", [next.execute(one, "test.ping", [])]);
    expect(signedValue(pair, one.callId)).toBe(1);
    const events = (await lab.audit()).filter(({ event }) => event === "originator");
    expect(events.slice(-3).map(({ outcome, name }) => [outcome, name])).toEqual([
      ["recorded", top.name],
      ["forgotten", top.name],
      ["recorded", top.name],
    ]);
  });

  it(
    "is waited for, read and cancelled by the overlord that brought it, by its call id as well",
    async () => {
      const one = target();
      const document = top.execute(one, "command.run", ["echo begun; sleep 600"], { async: true });
      const jobId = await ask(mid, "async.delegation.execute", [document]);
      expect(await ask(mid, "jobs.call_state", [one.callId])).toBe("running");
      const output = await ask(mid, "jobs.read_output", [jobId, "stdout", 0, 100, 20]);
      expect(output).toMatchObject({ 1: 6 });
      expect(await ask(operator, "jobs.cancel", [one.callId])).toBe(false);
      expect(await ask(mid, "jobs.cancel", [one.callId])).toBe(true);
      expect(signedValue(await ended(mid, jobId), one.callId)).toMatchObject({ 1: "begun\n" });
      expect(await ask(mid, "jobs.acknowledge", [[jobId]])).toBe(1);
      // what was asked about before it came is not begun any more
      const two = target();
      expect(await ask(mid, "jobs.call_state", [two.callId])).toBe("unknown");
      const late = top.execute(two, "command.run", ["true"]);
      const answer = signedValue(await ask(other, "delegation.execute", [late]), two.callId);
      expect(JSON.stringify(answer)).toContain("given up");
    },
    LIMIT_MS,
  );
});

describe("access rules", () => {
  const all = { direct: "ok", async: "ok", signed: "ok", signedAsync: "ok" };
  const none = { direct: "denied", async: "denied", signed: "denied", signedAsync: "denied" };

  function access(presets: string): void {
    const file = join(lab.home, "minion.yaml");
    const text = readFileSync(file, "utf8").replace(/^access:.*\n/m, "");
    writeFileSync(file, `access: ${presets}\n${text}`);
  }

  it(
    "deny a method alike, called directly, async and signed",
    async () => {
      expect(await overAllWays(mid, "command.run", ["true"])).toEqual(all);
      access("{overlord: read-only}");
      await until(mid, "command.run", DENIED);
      expect(await overAllWays(mid, "command.run", ["true"])).toEqual(none);
      expect(await overAllWays(mid, "test.add", [1, 2])).toEqual(all);
      // who brings it is asked for nothing; who has signed it is named by a rule
      access("{overlord: none}");
      await lab.rule(
        "top.acl.yaml",
        `allow: [{roles: [originator], names: ["${top.name}"], methods: [command.run], arguments: {1: "true"}}]\n`,
      );
      await until(mid, "test.add", DENIED);
      const signedOnly = { ...none, signed: "ok", signedAsync: "ok" };
      await expect
        .poll(() => overAllWays(mid, "command.run", ["true"]), { timeout: 10_000 })
        .toEqual(signedOnly);
      expect(await overAllWays(mid, "command.run", ["false"])).toEqual(none);
      expect(await overAllWays(mid, "test.add", [1, 2])).toEqual(none);
      const check = execFileSync(process.execPath, [
        ...[lab.script, "acl", "check", "originator", top.name, "command.run", "true"],
        ...["--home", lab.home],
      ]);
      expect(check.toString()).toMatch(/^allowed by .*top\.acl\.yaml:1/);
      // originators apart from overlords
      access("{overlord: full, originators: none}");
      await lab.rule("top.acl.yaml", "allow: []\n");
      await until(mid, "command.run", /^ok/);
      const directOnly = { ...none, direct: "ok", async: "ok" };
      await expect
        .poll(() => overAllWays(mid, "command.run", ["true"]), { timeout: 10_000 })
        .toEqual(directOnly);
      // what every overlord may do for repair is no originator's
      const trust = await overAllWays(mid, "trust.status", []);
      expect(trust).toEqual(directOnly);
    },
    LIMIT_MS,
  );
});
