import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { AccessControl } from "../../server/minion/accessControl";
import { Audit } from "../../server/minion/audit";
import { Authorities } from "../../server/minion/authorities";
import { CallJournal } from "../../server/minion/callJournal";
import { Dispatcher } from "../../server/minion/dispatch";
import type { MethodRegistry } from "../../server/minion/methodRegistry";
import { MinionJobs } from "../../server/minion/minionJobs";
import { minionRegistry, MODULE_NAMES } from "../../server/minion/minion";
import type { Caller } from "../../server/minion/minionModule";
import { Originators } from "../../server/minion/originators";
import { SignedCalls } from "../../server/minion/signedCall";
import { Renewal } from "../../server/minion/renewal";
import { Revocations } from "../../server/minion/revocations";
import { SyncCalls } from "../../server/minion/syncCalls";
import { SerialQueue } from "../../server/common/serialQueue";
import { RpcFault } from "../../server/wire/rpcFault";
import { XmlRpcDouble, type XmlRpcStruct, type XmlRpcValue } from "../../server/wire/value";

const OVERLORD: Caller = {
  role: "overlord",
  name: "boss",
  keyFingerprint: "ab".repeat(32),
  address: "192.0.2.1",
};
const NOTHING = (): undefined => undefined;
const DENIED = "<class 'func.minion.codes.AccessToMethodDenied'>:";

let home: string;
let jobs: MinionJobs;
let dispatcher: Dispatcher;
let registry: MethodRegistry;
/** With the access rules as they stand there now. */
let makeDispatcher: () => void;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "funcd-"));
  jobs = await MinionJobs.open(join(home, "jobs"), silentLog);
  const syncCalls = new SyncCalls();
  const pki = join(home, "pki");
  const revocations = await Revocations.open(pki, silentLog);
  const journal = await CallJournal.open(join(home, "calls"), silentLog);
  const originators = new Originators(pki, silentLog);
  const signedCalls = new SignedCalls({ present: () => undefined, originators });
  const jobsParts = { jobs, syncCalls, journal, originators, signedCalls };
  registry = minionRegistry(home, jobsParts, {
    revocations,
    originators,
    authorities: new Authorities({
      pkiFolder: pki,
      present: () => undefined,
      use: () => undefined,
      revocationList: () => revocations.document(),
      queue: new SerialQueue(),
      log: silentLog,
    }),
    renewal: new Renewal(pki, NOTHING, NOTHING),
  });
  const parts = { registry, ...jobsParts, log: silentLog };
  const audit = new Audit(join(home, "audit.log"), silentLog);
  makeDispatcher = () => {
    const access = new AccessControl({ home }, registry, silentLog);
    dispatcher = new Dispatcher({ ...parts, access, audit });
  };
  makeDispatcher();
});

afterEach(async () => {
  await jobs.close();
  await rm(home, { recursive: true, force: true });
});

function call(
  method: string,
  params: XmlRpcValue[] = [],
  more: { callId?: string; caller?: Caller } = {},
): Promise<XmlRpcValue> {
  const connectionClosed = new AbortController().signal;
  return dispatcher.handle({ method, params, caller: OVERLORD, connectionClosed, ...more });
}

async function finished(id: XmlRpcValue): Promise<XmlRpcValue> {
  const status = await call("jobs.wait", [id, 20]);
  if (!Array.isArray(status) || status[0] !== 1) throw new Error("the job has not finished");
  return status[1] ?? null;
}

async function audited(): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(home, "audit.log"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("dispatch", () => {
  it("runs the module test as the original does", async () => {
    expect(await call("test.ping")).toBe(1);
    expect(await call("test.add", [1, 5])).toBe(6);
    expect(await call("test.add", ["1", "2"])).toBe("12");
    expect(await call("test.add", ["foo", "bar"])).toBe("foobar");
    expect(await call("test.add", [1, new XmlRpcDouble(2)])).toEqual(new XmlRpcDouble(3));
    expect(await call("test.add", [9007199254740991, 2])).toBe(9007199254740993n);
    expect(await call("test.sleep", ["0"])).toBeInstanceOf(XmlRpcDouble);
    expect(await call("test.bigint")).toBe(9007199254740993n);
    for (const value of [1, "s", [1, "a"], { k: false }, true, null, 1.5, Buffer.from([0, 255])]) {
      expect(await call("test.echo", [value])).toEqual(value);
    }
  });

  it("answers what a method raises as a REMOTE_ERROR of four strings", async () => {
    expect(await call("test.explode")).toEqual([
      "REMOTE_ERROR",
      "exceptions.Exception",
      expect.any(String),
      "",
    ]);
    expect(await call("test.explode_no_string")).toEqual([
      "REMOTE_ERROR",
      "exceptions.Exception",
      "",
      "",
    ]);
    expect(await call("test.add", [1, "2"])).toMatchObject({ 1: "exceptions.TypeError" });
    expect(await call("test.add", [1])).toMatchObject({
      1: "exceptions.TypeError",
      2: 'test.add: the argument "b" is missing',
    });
  });

  it.each([
    ["ping", "ModuleNotFoundException"],
    ["", "AccessToMethodDenied"],
    ["nosuch.ping", "ModuleNotFoundException"],
    ["test.nosuch", "InvalidMethodException"],
    ["test.constructor", "InvalidMethodException"],
    ["test.__proto__", "InvalidMethodException"],
    ["test.toString", "InvalidMethodException"],
    ["__proto__.ping", "ModuleNotFoundException"],
    ["constructor.constructor", "ModuleNotFoundException"],
    ["test.test.ping", "ModuleNotFoundException"],
    ["test.", "InvalidMethodException"],
  ])("does not know %j", async (method, type) => {
    if (type === "AccessToMethodDenied") {
      await expect(call(method)).rejects.toMatchObject({ code: 1, faultString: DENIED });
      return;
    }
    expect(await call(method)).toMatchObject({ 0: "REMOTE_ERROR", 1: `func.minion.codes.${type}` });
  });

  it("denies every method, sync and async, to any other role", async () => {
    const caller: Caller = { ...OVERLORD, role: "minion", name: "web1" };
    for (const name of [...registry.handlerNames(), "trait_names", "nosuch.x"]) {
      for (const method of [name, `async.${name}`]) {
        const denied = call(method, [], { caller });
        await expect(denied).rejects.toBeInstanceOf(RpcFault);
        await expect(denied).rejects.toMatchObject({ code: 1, faultString: DENIED });
      }
    }
    const entries = await audited();
    expect(entries).toHaveLength(2 * (registry.handlerNames().length + 2));
    expect(entries.every(({ outcome, role }) => outcome === "denied" && role === "minion")).toBe(
      true,
    );
  });

  it("starts a job for any async name, and strips the prefix once", async () => {
    const id = await call("async.test.add", ["1", "2"]);
    expect(id).toMatch(/^\d{10}\.\d{6}-[0-9a-f]{8}-minion$/);
    expect(await finished(id)).toBe("12");
    expect(await finished(await call("async.async.test.ping"))).toMatchObject({
      1: "func.minion.codes.ModuleNotFoundException",
    });
    expect(await finished(await call("async.nosuch.x"))).toMatchObject({
      1: "func.minion.codes.ModuleNotFoundException",
    });
    expect(await finished(await call("async.command.run"))).toMatchObject({
      1: "exceptions.TypeError",
      2: 'command.run: the argument "command" is missing',
    });
    expect(await finished(await call("async.test.explode"))).toMatchObject({ 0: "REMOTE_ERROR" });
    expect(await finished(await call("async.system.list_modules"))).toEqual(MODULE_NAMES);
    expect(await finished(await call("async.test.module_version"))).toBe("0.0.11");
  });

  it("tells what it can do", async () => {
    expect(await call("system.list_modules")).toEqual(MODULE_NAMES);
    const names = await call("system.list_methods");
    expect(names).toEqual(await call("system.listMethods"));
    expect(names).toEqual([...(names as string[])].sort());
    expect(names).toEqual(expect.arrayContaining(["command.run", "system.grep", "test.grep"]));
    expect(new Set((await call("trait_names")) as string[])).toEqual(new Set(names as string[]));
    expect(await call("system.grep", ["exi"])).toEqual({
      "func.minion.server.list_methods": "command.exists",
    });
    const inventory = (await call("system.inventory")) as XmlRpcStruct;
    expect(Object.keys(inventory)).toEqual(MODULE_NAMES);
    expect(inventory["command"]).toContain("config_items");
  });

  it("describes arguments in the original's form and in ours", async () => {
    expect(await call("command.get_method_args")).toMatchObject({
      run: {
        args: {
          command: { type: "string", optional: false, order: 0 },
          env: { type: "hash", optional: true, order: 1 },
        },
      },
      exists: { args: { command: { order: 0 } } },
    });
    const modules = (await call("system.describe")) as XmlRpcStruct[];
    const names = "command delegation jobs overlord system test trust".split(" ");
    expect(modules.map(({ name }) => name)).toEqual(names);
    const command = { name: "command", type: "string", optional: false };
    expect(modules[0]?.["methods"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: "run",
          risk: "change",
          args: [expect.objectContaining(command), expect.objectContaining({ name: "env" })],
        }),
        expect.objectContaining({ name: "exists", risk: "read" }),
      ]),
    );
  });

  it("has the base methods in every module", async () => {
    for (const name of MODULE_NAMES) {
      expect(await call(`${name}.module_version`)).toMatch(/^\d/);
      expect(await call(`${name}.module_api_version`)).toMatch(/^\d/);
      expect(await call(`${name}.module_description`)).not.toBe("");
      expect(await call(`${name}.list_methods`)).toContain("get_method_args");
      expect(await call(`${name}.save_config`)).toBe(true);
      expect(Array.isArray(await call(`${name}.config_items`))).toBe(true);
    }
  });

  it("keeps the settings of a module, by type", async () => {
    expect(await call("test.config_set", ["int_option", "7"])).toContainEqual(["int_option", 7]);
    expect(await call("test.config_get", ["int_option"])).toBe(7);
    expect(await call("test.config_get", ["bool_option"])).toBe(true);
    expect(await call("test.config_get", ["float_option"])).toEqual(new XmlRpcDouble(2.5));
    expect(await call("test.config_get", ["__proto__"])).toMatchObject({ 0: "REMOTE_ERROR" });
    expect(await call("test.config_set", ["int_option", "x"])).toMatchObject({
      1: "exceptions.TypeError",
    });
    expect(await call("test.config_items")).toContainEqual(["int_option", 7]);
  });

  it("audits who called what, and never the arguments", async () => {
    await call("command.run", ["echo s3cret"], { callId: "c1" });
    await call("test.explode");
    const id = await call("async.test.echo", ["s3cret"]);
    const entries = await audited();
    expect(entries.map(({ method, outcome }) => [method, outcome])).toEqual([
      ["command.run", "started"],
      ["command.run", "ok"],
      ["test.explode", "error exceptions.Exception"],
      ["test.echo", "started"],
    ]);
    expect(entries[0]).toMatchObject({ ...OVERLORD, async: false, callId: "c1" });
    expect(entries[3]).toMatchObject({ async: true, jobId: id });
    expect(entries[0]?.["argumentsDigest"]).toMatch(/^[0-9a-f]{64}$/);
    const file = join(home, "audit.log");
    expect(await readFile(file, "utf8")).not.toContain("s3cret");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("answers a repeated call id without running it again", async () => {
    const command = `echo x >>${join(home, "ran")}; cat ${join(home, "ran")}`;
    const first = call("command.run", [command], { callId: "c1" });
    const second = call("command.run", [command], { callId: "c1" });
    expect(await first).toEqual([0, "x\n", ""]);
    expect(await second).toEqual([0, "x\n", ""]);
    expect(await call("command.run", [command], { callId: "c1" })).toEqual([0, "x\n", ""]);
    const rekeyed = { ...OVERLORD, keyFingerprint: "cd".repeat(32) };
    expect(await call("command.run", [command], { callId: "c1", caller: rekeyed })).toEqual([
      0,
      "x\n",
      "",
    ]);
    const other = { ...OVERLORD, name: "another" };
    expect(await call("command.run", [command], { callId: "c1", caller: other })).toMatchObject({
      1: "x\nx\n",
    });
    expect(await call("command.run", ["true"], { callId: "c1" })).toMatchObject({
      0: "REMOTE_ERROR",
      2: expect.stringContaining("used for another call") as string,
    });
  });

  it("lets nobody but their caller, the overlord, and who may do all, ask for a job", async () => {
    const as = (role: Caller["role"], key: string): Caller => {
      return { ...OVERLORD, role, name: `n${key}`, keyFingerprint: key.repeat(64) };
    };
    const [alice, bob, carol] = [as("operator", "1"), as("operator", "2"), as("operator", "3")];
    await mkdir(join(home, "acls"));
    const rules = [
      `{roles: [operator], names: [n1, n2], preset: standard}`,
      `{roles: [operator], names: [n2], methods: ["jobs.*"]}`,
      `{roles: [operator], names: [n3], preset: full}`,
    ];
    await writeFile(join(home, "acls", "a.acl.yaml"), `allow: [${rules.join(", ")}]`);
    makeDispatcher();
    const echo = "echo Progress report 1/2 completed; sleep 600";
    const id = await call("async.command.run", [echo], { caller: alice, callId: "c1" });
    const methods = ["job_status", "tail_output", "get_progress", "wait", "read_output", "cancel"];
    const count = (await audited()).length;
    for (const method of methods) {
      for (const name of [`jobs.${method}`, `async.jobs.${method}`]) {
        const more = method === "read_output" ? ["stdout", 0, 100] : [];
        const denied = call(name, [id, ...more], { caller: bob });
        await expect(denied).rejects.toMatchObject({ code: 1, faultString: DENIED });
      }
    }
    const denials = (await audited()).slice(count);
    expect(denials).toHaveLength(2 * methods.length);
    for (const { outcome, reason } of denials) {
      expect([outcome, reason]).toEqual(["denied", "operator n2 has not started this job"]);
    }
    expect(await call("jobs.cancel", ["c1"], { caller: bob })).toBe(false);
    for (const caller of [alice, carol, OVERLORD, as("overlord", "4")]) {
      expect(await call("jobs.job_status", [id], { caller })).toEqual([0, -1]);
      await expect
        .poll(() => call("jobs.get_progress", [id], { caller }), { timeout: 10_000 })
        .toEqual([1, 2]);
    }
    expect(await call("jobs.job_status", ["none"], { caller: bob })).toEqual([2, 0]);
    expect(await call("jobs.cancel", [id], { caller: alice })).toBe(true);
    expect(await call("jobs.wait", [id], { caller: alice })).toMatchObject({ 0: 1 });
    const own = await call("async.test.ping", [], { caller: bob });
    expect(await call("jobs.wait", [own], { caller: bob })).toEqual([1, 1]);
    expect(await call("jobs.acknowledge", [[id, own, "none"]], { caller: bob })).toBe(1);
    expect(await call("jobs.acknowledge", [[id, own]], { caller: as("overlord", "4") })).toBe(0);
    expect(await call("jobs.acknowledge", [[id, own]], { caller: alice })).toBe(1);
  });

  it("tells what became of a call to whoever made it, also after its key has changed", async () => {
    const other = { ...OVERLORD, keyFingerprint: "cd".repeat(32) };
    const operator: Caller = { ...other, role: "operator" };
    const state = (id: string, caller: Caller = OVERLORD) =>
      call("jobs.call_state", [id], { caller });
    expect(await state("c0")).toBe("unknown");
    const id = await call("async.test.sleep", [600], { callId: "c1" });
    const sleeping = call("test.sleep", [600], { callId: "s1" });
    expect([await state("c1"), await state("s1")]).toEqual(["running", "running"]);
    expect([await state("c1", other), await state("c1", operator)]).toEqual(["running", "unknown"]);
    await call("jobs.cancel", ["s1"]);
    await sleeping;
    await call("jobs.cancel", [id]);
    await call("jobs.wait", [id]);
    expect([await state("c1"), await state("s1")]).toEqual(["ended", "ended"]);
  });

  it("never begins a call of which it has said that it is unknown", async () => {
    expect(await call("jobs.call_state", ["late"])).toBe("unknown");
    const file = join(home, "ran");
    for (const method of ["async.command.run", "command.run"]) {
      const answer = await call(method, [`echo x >>${file}`], { callId: "late" });
      expect(answer).toEqual([
        "REMOTE_ERROR",
        "func.minion.codes.FuncException",
        expect.stringContaining("given up"),
        "",
      ]);
    }
    await expect(stat(file)).rejects.toThrow("ENOENT");
    expect(await call("jobs.call_state", ["late"])).toBe("unknown");
    const operator: Caller = { ...OVERLORD, role: "operator", keyFingerprint: "cd".repeat(32) };
    const others = await call("command.run", ["echo y"], { callId: "late", caller: operator });
    expect(others).toEqual([0, "y\n", ""]);
  });

  it("audits a wait that goes on once", async () => {
    const id = await call("async.command.run", ["sleep 600"]);
    const count = (await audited()).length;
    for (const seconds of [0, 0.01, 0.02]) await call("jobs.wait", [id, seconds]);
    await call("jobs.wait", ["other", 0]);
    await call("jobs.read_output", [id, "nowhere", 0, 1]);
    const lines = (await audited()).slice(count);
    expect(lines.map(({ method }) => method)).toEqual([
      "jobs.wait",
      "jobs.wait",
      "jobs.read_output",
    ]);
    await call("jobs.cancel", [id]);
    // its last files are written
    await call("jobs.wait", [id, 20]);
  });

  it("cancels a running sync call by its call id, for its own caller only", async () => {
    const sleeping = call("test.sleep", [600], { callId: "s1" });
    const other = { ...OVERLORD, name: "another" };
    expect(await call("jobs.cancel", ["s1"], { caller: other })).toBe(false);
    expect(await call("jobs.cancel", ["s1"])).toBe(true);
    expect(await sleeping).toMatchObject({ 1: "func.minion.codes.CancelledException" });
    expect(await call("jobs.cancel", ["s1"])).toBe(false);
  });
});
