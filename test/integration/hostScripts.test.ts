import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it } from "vitest";
import { parseDestination } from "../../server/cli/hosts/destination";
import type { HostPlace } from "../../server/cli/hosts/hostPlan";
import { HostSetup, readFuncdProgram, type FuncdProgram } from "../../server/cli/hosts/hostSetup";
import type { RemoteHost } from "../../server/cli/hosts/remoteShell";
import { UNIT_MARKER } from "../../server/cli/hosts/remoteScripts";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { signRequest } from "../../server/pki/authority/signing";
import type { CertificateRecord } from "../../server/protocol/certmaster";
import { freePort } from "../fixtures/localSshd";
import { buildPrograms, runProgram } from "../fixtures/programs";

/** Does with the unit what systemd would, and writes down what it was asked for. */
const SYSTEMCTL = `#!/bin/sh
printf '%s\\n' "$*" >>"$STUB/calls"
case "$2" in
  restart)
    [ -e "$STUB/broken" ] && { echo "Job failed."; exit 1; }
    command=$(sed -n 's/^ExecStart=//p' "$STUB/funcd.service")
    setsid $command </dev/null >"$STUB/said" 2>&1 &
    echo $! >"$STUB/pid" ;;
  show) echo "MainPID=$(cat "$STUB/pid")" ;;
  status) cat "$STUB/said" ;;
esac
`;

const PLACE: HostPlace = {
  asRoot: true,
  sudo: false,
  service: "system",
  home: "",
  serviceName: "funcd.service",
  unitFile: "",
  scope: "--system",
};

let root: string;
let authority: CertificateAuthority;
let program: FuncdProgram;
let stub: string;
let home: string;
let port: number;
let setup: HostSetup;
let records: CertificateRecord[];
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hs-"));
  await buildPrograms(root);
  authority = await CertificateAuthority.create(join(root, "ca"), "test");
  program = await readFuncdProgram(join(root, "funcd.js"));
});

beforeEach(async () => {
  stub = join(root, `stub${count++}`);
  home = join(stub, "home");
  mkdirSync(stub);
  writeFileSync(join(stub, "systemctl"), SYSTEMCTL, { mode: 0o755 });
  port = await freePort();
  records = [];
  const place = { ...PLACE, home, unitFile: join(stub, "funcd.service") };
  setup = new HostSetup(thisHost(), place, process.execPath, new AbortController().signal);
});

afterEach(async () => {
  await runProgram(root, "funcd", ["stop", "--home", home]);
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** This machine in the place of a host: the same command line, read by a shell. */
function thisHost(): RemoteHost {
  const env = { ...process.env, STUB: stub, PATH: `${stub}:${process.env["PATH"] ?? ""}` };
  return {
    settings: { destination: parseDestination("here"), options: [] },
    run: (command, { input }) =>
      new Promise((resolve, reject) => {
        const child = spawn("/bin/sh", ["-c", command], { env, stdio: ["pipe", "pipe", "pipe"] });
        const run = { stdout: "", stderr: "" };
        child.stdout.on("data", (data: Buffer) => (run.stdout += data.toString()));
        child.stderr.on("data", (data: Buffer) => (run.stderr += data.toString()));
        child.stdin.on("error", () => undefined);
        child.stdin.end(input ?? "");
        child.on("error", reject);
        child.on("close", (status) => {
          resolve({ status, ...run });
        });
      }),
  };
}

function calls(): string[] {
  const file = join(stub, "calls");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

async function certify(name: string): Promise<void> {
  const listen = `127.0.0.1:${port}`;
  const csr = await setup.request({ name, listen, discardKey: false, freePort: port });
  const signed = await signRequest(authority, { csr, role: "minion", name });
  records.push(signed.record);
  await setup.install(signed, listen);
}

describe("funcd under systemd", () => {
  it("gets a unit, is started, updated, and taken away again", async () => {
    expect(await setup.inspect(records)).toMatchObject({ revoked: false, unit: "none" });
    await setup.copy(program);
    await certify("web1");
    await setup.start("web1", port);
    const unit = join(stub, "funcd.service");
    expect(statSync(unit).mode & 0o777).toBe(0o644);
    expect(readFileSync(unit, "utf8")).toContain(`ExecStart=${process.execPath} ${home}/program`);
    expect(calls().slice(0, 4)).toEqual([
      "--system stop funcd.service",
      "--system daemon-reload",
      "--system enable funcd.service",
      "--system restart funcd.service",
    ]);
    const state = await setup.inspect(records);
    expect(state).toMatchObject({
      enrolled: { name: "web1" },
      running: true,
      unit: "ours",
      program: program.sha256,
      listenPort: port,
    });
    // a second start is a restart
    await setup.start("web1", port);
    await setup.keepNew();
    for (const entry of await setup.remove(false)) expect(entry).toMatch(/^audit/);
    expect(calls()).toContain("--system disable --now funcd.service");
    expect(existsSync(unit)).toBe(false);
  });

  it("goes back to the old program where the new one does not start", async () => {
    await setup.copy(program);
    await certify("web2");
    await setup.start("web2", port);
    await setup.keepNew();
    const content = Buffer.from('if (!process.argv.includes("--version")) process.exit(1);\n');
    const sha256 = createHash("sha256").update(content).digest("hex");
    await setup.copy({ content, sha256 });
    // the broken one cannot stop the one that runs either
    await runProgram(root, "funcd", ["stop", "--home", home]);
    await expect(setup.start("web2", port)).rejects.toThrow(/does not answer on its port/);
    expect(await setup.takeOld()).toBe(true);
    await setup.start("web2", port);
    expect((await setup.inspect(records)).program).toBe(program.sha256);
  });

  it("says what is in the way", async () => {
    await setup.copy(program);
    await certify("web3");
    writeFileSync(join(stub, "funcd.service"), "[Service]\nExecStart=/usr/bin/other\n");
    expect(await setup.inspect(records)).toMatchObject({ unit: "other" });
    await expect(setup.start("web3", port)).rejects.toThrow(/was not written by func add-host/);
    await expect(setup.remove(false)).rejects.toThrow(/was not written by func add-host/);
    writeFileSync(join(stub, "funcd.service"), `${UNIT_MARKER}\n`);
    writeFileSync(join(stub, "broken"), "");
    await expect(setup.start("web3", port)).rejects.toThrow(
      /systemd on here does not start funcd: Job/,
    );
    const broken = { content: Buffer.from("syntax error("), sha256: "" };
    await expect(setup.copy(broken)).rejects.toThrow(/did not arrive whole/);
    const sha256 = createHash("sha256").update(broken.content).digest("hex");
    await expect(setup.copy({ ...broken, sha256 })).rejects.toThrow(/funcd does not run on here/);
    expect(readdirSync(join(home, "program"))).toEqual(["funcd.js"]);
  });

  it("has no folder that is somebody else's", async () => {
    writeFileSync(home, "");
    await expect(setup.inspect([])).rejects.toThrow(/is no folder/);
    const foreign = join(stub, "foreign");
    mkdirSync(foreign);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(foreign, 65_534, 65_534);
    const place = { ...PLACE, home: isRoot ? foreign : "/usr" };
    const never = new AbortController().signal;
    const elsewhere = new HostSetup(thisHost(), place, process.execPath, never);
    await expect(elsewhere.inspect([])).rejects.toThrow(
      /belongs to another user|holds other things/,
    );
  });

  it("of another overlord is left alone", async () => {
    await setup.copy(program);
    await certify("web4");
    await expect(setup.inspect([])).rejects.toThrow(/has a minion of another overlord already/);
  });
});
