import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import {
  createMessageConnection,
  NullLogger,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { createClientHello } from "../../server/client/hello";
import {
  buildOverlord,
  connect,
  endOverlord,
  isRunning,
  overlordOptions,
  readEndpoint,
  until,
} from "../fixtures/overlordBundle";

let built: string;
let script: string;
let home: string;
const homes: string[] = [];
const connections: OverlordConnection[] = [];

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), "func-build-"));
  script = await buildOverlord(built);
});

afterAll(async () => {
  await rm(built, { recursive: true, force: true });
});

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "func-home-"));
  homes.push(home);
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.dispose();
  await endOverlord(home);
  for (const folder of homes.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function open(dataDirectory = home): Promise<OverlordConnection> {
  const connection = await connect(dataDirectory, script);
  connections.push(connection);
  return connection;
}

it("has one overlord however many clients start it at once", async () => {
  const opened = await Promise.all(Array.from({ length: 10 }, () => open()));
  const pids = new Set(opened.map(({ hello }) => hello.pid));
  expect(pids.size).toBe(1);
  const status = await opened[0]?.request("overlord/status", {});
  expect(status).toMatchObject({ clients: 10, dataDirectory: home, minions: 0 });
});

it("lets all but one of ten processes end quietly", async () => {
  const children = Array.from({ length: 10 }, () =>
    spawn(process.execPath, [script, "--home", home], { stdio: "ignore" }),
  );
  let ended = 0;
  const codes = children.map(
    (child) =>
      new Promise<number | null>((resolve) => {
        child.once("exit", (code) => {
          ended++;
          resolve(code);
        });
      }),
  );
  await until(() => ended === 9);
  const owner = await readEndpoint(home);
  for (const [index, child] of children.entries()) {
    if (child.pid !== owner.pid) expect(await codes[index]).toBe(3);
  }
  const { hello } = await open();
  expect(hello.pid).toBe(owner.pid);
  expect((await readdir(home)).sort()).toEqual(["endpoint", "lock", "overlord.log"]);
});

it("starts anew after kill -9 and leaves nothing of the dead one", async () => {
  const first = await open();
  const dead = await readEndpoint(home);
  const closed = new Promise<void>((resolve) => first.onClose(resolve));
  process.kill(first.hello.pid, "SIGKILL");
  await closed;
  await until(() => !isRunning(first.hello.pid));
  // what starters leave that are killed in the middle
  await writeFile(join(home, "lock.0123456789abcdef"), await readFile(join(home, "lock")));
  await writeFile(join(home, "lock.aa.tmp"), "{");

  const [second, third] = await Promise.all([open(), open()]);
  expect(second.hello.pid).not.toBe(first.hello.pid);
  expect(third.hello.pid).toBe(second.hello.pid);
  // a starter that was too late may still be at its own file
  await until(async () => !(await readdir(home)).some((name) => name.startsWith("lock.")));
  expect((await readdir(home)).sort()).toEqual(["endpoint", "lock", "overlord.log"]);
  await expect(stat(dead.path)).rejects.toThrow("ENOENT");
});

it("takes a data directory whose path is longer than a socket's may be", async () => {
  home = join(home, "d".repeat(200));
  const connection = await open();
  expect(connection.hello.dataDirectory).toBe(home);
  const { path } = await readEndpoint(home);
  expect(Buffer.byteLength(path)).toBeLessThan(100);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  expect((await stat(home)).mode & 0o777).toBe(0o700);
  expect((await stat(join(home, "endpoint"))).mode & 0o777).toBe(0o600);
});

it("refuses who cannot read the secret, who speaks before, and a hello that was used", async () => {
  await open();
  const { path, secret } = await readEndpoint(home);
  const wrong = createClientHello("ab".repeat(32), "cli", "0");
  const right = createClientHello(secret, "cli", "0");
  const old = { ...right, sentAtMs: right.sentAtMs - 120_000 };

  const first = await speak(path, [
    ["overlord/status", {}],
    ["initialize", { initializationOptions: wrong }],
    ["overlord/status", {}],
  ]);
  expect(first).toMatchObject([
    { data: { reason: "denied" } },
    { data: { reason: "denied" }, message: expect.stringContaining("proof") as string },
    { data: { reason: "denied" } },
  ]);
  const [good] = await speak(path, [["initialize", { initializationOptions: right }]]);
  expect(good).toHaveProperty("overlord.pid");
  const [again] = await speak(path, [["initialize", { initializationOptions: right }]]);
  expect(again).toMatchObject({ data: { reason: "denied" } });
  const [late] = await speak(path, [["initialize", { initializationOptions: old }]]);
  expect(late).toMatchObject({ data: { reason: "denied" } });
});

it("closes a connection that says nothing", async () => {
  await open();
  const { path } = await readEndpoint(home);
  const socket = connectSocket(path);
  await new Promise<void>((resolve) =>
    socket.once("close", () => {
      resolve();
    }),
  );
});

it("ends a connection whose message would be too large, and takes a damaged endpoint file", async () => {
  await open();
  const { path, secret } = await readEndpoint(home);
  for (const header of ["Content-Length: 99999999999\r\n\r\n", "x".repeat(5_000)]) {
    const socket = connectSocket(path);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const hello = createClientHello(secret, "cli", "0");
    const params = { initializationOptions: hello };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(header);
    await closed;
  }
  await endOverlord(home);
  for (const damaged of ["", "\0", "/nowhere"]) {
    await writeFile(join(home, "endpoint"), JSON.stringify({ path: damaged, secret }));
    expect((await open()).hello.dataDirectory).toBe(home);
    await endOverlord(home);
  }
});

it("refuses to talk to another who listens at the socket's place", async () => {
  const connection = await open();
  const endpoint = await readEndpoint(home);
  // the overlord does not know this secret, as an impostor would not know the real one
  await writeFile(join(home, "endpoint"), JSON.stringify({ ...endpoint, secret: "00".repeat(32) }));
  await expect(open()).rejects.toMatchObject({ reason: "denied" });
  await writeFile(join(home, "endpoint"), JSON.stringify(endpoint));
  await expect(connection.request("minions/list", {})).resolves.toEqual([]);
});

it("tells in the overlord's own words why it cannot start", async () => {
  await writeFile(join(home, "overlord.yaml"), "# mine\nnforks: many\n");
  await expect(open()).rejects.toMatchObject({
    reason: "unavailable",
    message: expect.stringMatching(/overlord\.yaml:2: nforks must be a number/) as string,
  });
  await rm(join(home, "overlord.yaml"));
  await writeFile(join(home, "inventory.json"), "{");
  await expect(open()).rejects.toMatchObject({
    message: expect.stringContaining("inventory.json is damaged") as string,
  });
  await expect(connectOverlord(overlordOptions(home, join(home, "none.js")))).rejects.toMatchObject(
    {
      message: expect.stringContaining("Cannot find module") as string,
    },
  );
});

it("names the host that owns a shared data directory", async () => {
  const owner = { host: "elsewhere", bootId: "", pid: 1, startTime: "", nonce: "0123456789abcdef" };
  await writeFile(join(home, "lock"), JSON.stringify(owner));
  await expect(open()).rejects.toMatchObject({
    message: expect.stringContaining("elsewhere") as string,
  });
});

it("replaces a damaged lock", async () => {
  await writeFile(join(home, "lock"), '{"host":');
  await open();
  await expect(readFile(join(home, "lock"), "utf8")).resolves.toContain('"bootId"');
});

it("starts none where it may not", async () => {
  const options = { ...overlordOptions(home, script), start: false };
  await expect(connectOverlord(options)).rejects.toMatchObject({ reason: "not-found" });
  await expect(readdir(home)).resolves.toEqual([]);
});

it("ends when idle, when asked to and by SIGTERM, and takes its traces along", async () => {
  await writeFile(join(home, "overlord.yaml"), "idle_minutes: 0.005\n");
  const ends: ((connection: OverlordConnection) => void)[] = [
    (connection) => {
      connection.dispose();
    },
    (connection) => void connection.request("overlord/stop", {}),
    (connection) => process.kill(connection.hello.pid, "SIGTERM"),
  ];
  for (const end of ends) {
    const connection = await open();
    const { pid } = connection.hello;
    const { path } = await readEndpoint(home);
    end(connection);
    await until(() => !isRunning(pid));
    const left = (await readdir(home)).filter((name) => !name.startsWith("audit.log"));
    expect(left.sort()).toEqual(["overlord.log", "overlord.yaml"]);
    await expect(stat(path)).rejects.toThrow("ENOENT");
  }
});

it("ends when its data directory is taken away", async () => {
  const connection = await open();
  const { pid } = connection.hello;
  await rm(home, { recursive: true });
  await until(() => !isRunning(pid));
});

it("closes the data directory to others", async () => {
  const shared = join(home, "shared");
  await mkdir(shared);
  await chmod(shared, 0o755);
  // what a user may have put there by hand
  await writeFile(join(shared, "overlord.yaml"), "nforks: 8\n");
  await writeFile(join(shared, "groups"), "[web]\nhost = web*\n");
  home = shared;
  await open();
  expect((await stat(shared)).mode & 0o777).toBe(0o700);
});

it("does not take a folder that others use for its data directory", async () => {
  const shared = join(home, "shared");
  await mkdir(shared);
  await chmod(shared, 0o755);
  await writeFile(join(shared, "thesis.txt"), "");
  await expect(connect(shared, script)).rejects.toThrow(/thesis\.txt/);
  expect((await stat(shared)).mode & 0o777).toBe(0o755);
});

/** Sends requests over a bare connection; answers, or errors, in order. */
async function speak(path: string, requests: [string, object][]): Promise<unknown[]> {
  const socket = connectSocket(path);
  const rpc = createMessageConnection(
    new StreamMessageReader(socket),
    new StreamMessageWriter(socket),
    NullLogger,
  );
  rpc.listen();
  const answers: unknown[] = [];
  for (const [method, params] of requests) {
    answers.push(await rpc.sendRequest(method, params).catch((error: unknown) => error));
  }
  rpc.dispose();
  socket.destroy();
  return answers;
}
