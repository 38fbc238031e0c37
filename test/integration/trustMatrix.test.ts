import { spawn, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { peerOf } from "../../server/calls/minionCaller";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { encodeCall } from "../../server/wire/encode";
import { RpcServer } from "../../server/wire/rpcServer";
import { WireClient, type WirePeer } from "../../server/wire/wireClient";
import { CertificateFactory } from "../fixtures/certificateFactory";
import { signOperator } from "../fixtures/operator";
import { RealFleet } from "../fixtures/realFleet";
import { TestAuthority, type TestCredentials } from "../fixtures/testCertificates";

/** A certificate, and why it is refused: in the minion's audit, and as a client is told; undefined where it may call. */
interface ClientRow {
  credentials: Partial<TestCredentials> & { ca: string };
  refused?: RegExp;
}

const METHODS = [
  "test.ping",
  "async.test.ping",
  "system.list_methods",
  "test.no_such_method",
] as const;
type Method = (typeof METHODS)[number];

let fleet: RealFleet;
let factory: CertificateFactory;
let web1: WirePeer;
const rows = new Map<string, ClientRow>();

beforeAll(async () => {
  fleet = await RealFleet.create();
  const connection = await fleet.connection();
  await fleet.add("web1");
  web1 = peerOf(await fleet.record("web1"));
  factory = new CertificateFactory(fleet.data);
  const { ca } = factory;
  const ann = await signOperator(connection, "ann", fleet.root);
  await connection.request("certmaster/revoke", { names: ["ann"], role: "operator" });
  const text = async (file: string): Promise<string> => readFile(file, "utf8");
  const other = new TestAuthority("another CA");
  const minion = {
    key: await text(join(fleet.home("web1"), "pki", "minion.key")),
    certificate: await text(join(fleet.home("web1"), "pki", "minion.crt")),
  };
  const revoked = {
    key: await text(ann.files.key),
    certificate: await text(ann.files.certificate),
  };
  rows.set("no certificate", { credentials: { ca }, refused: /no client certificate/ });
  rows.set("an overlord of another CA", {
    credentials: { ...other.issue({ uri: "func:overlord:main", usage: "clientAuth" }), ca },
    refused: /UNABLE_TO|SELF_SIGNED/,
  });
  rows.set("an expired overlord", {
    credentials: await factory.issue({
      role: "overlord",
      name: "main",
      fromHours: -48,
      toHours: -1,
    }),
    refused: /CERT_HAS_EXPIRED/,
  });
  rows.set("an overlord that is not valid yet", {
    credentials: await factory.issue({ role: "overlord", name: "main", fromHours: 1 }),
    refused: /CERT_NOT_YET_VALID/,
  });
  rows.set("a revoked operator", { credentials: { ...revoked, ca }, refused: /revoked/ });
  rows.set("a minion", { credentials: { ...minion, ca }, refused: /INVALID_PURPOSE/ });
  rows.set("a certificate with a common name only", {
    credentials: await factory.issue({ role: "overlord", name: "main", cnOnly: true }),
    refused: /names no role/,
  });
  rows.set("an operator", {
    credentials: await factory.issue({ role: "operator", name: "bob" }),
  });
  rows.set("an overlord", { credentials: await factory.issue({ role: "overlord", name: "main" }) });
  rows.set("an overlord of the same name with another key", {
    credentials: await factory.issue({ role: "overlord", name: "main" }),
  });
}, 60_000);
afterAll(() => fleet.close());

/** How many lines the audit of the minion has, and those after `from`. */
async function audit(from = 0): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(fleet.home("web1"), "audit.log"), "utf8")).split("\n");
  return lines
    .filter((line) => line !== "")
    .slice(from)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function expectAllowed(method: Method, answer: unknown): void {
  if (method === "test.ping") expect(answer).toBe(1);
  else if (method === "async.test.ping") expect(typeof answer).toBe("string");
  else if (method === "system.list_methods") expect(answer).toContain("test.ping");
  else expect(JSON.stringify(answer)).toContain("InvalidMethodException");
}

const CLIENTS = [
  "no certificate",
  "an overlord of another CA",
  "an expired overlord",
  "an overlord that is not valid yet",
  "a revoked operator",
  "a minion",
  "a certificate with a common name only",
  "an operator",
  "an overlord",
  "an overlord of the same name with another key",
];

describe.each(CLIENTS)("funcd, called by %s", (name) => {
  it.each(METHODS)("%s: on fresh, held and resumed connections", async (method) => {
    const { credentials, refused } = rows.get(name) ?? expect.fail();
    const before = (await audit()).length;
    // held connections, and one for each call, which resumes the session where there is one
    for (const maxHeld of [10, 0]) {
      const client = new WireClient({ ...credentials, verifyPeer: verifyMinionPeer, maxHeld });
      onTestFinished(() => {
        client.close();
      });
      for (let call = 0; call < 2; call++) {
        const answer: unknown = await client
          .call(web1, method, [])
          .catch((error: unknown) => error);
        if (!refused) expectAllowed(method, answer);
        else expect(answer).toMatchObject({ reason: "tls" });
        if (refused) expect(String(answer)).toMatch(refused);
      }
    }
    const isRefusal = ({ outcome }: Record<string, unknown>): boolean =>
      String(outcome).startsWith("refused");
    const lines = await audit(before);
    expect(lines.filter(isRefusal)).toEqual(refused ? lines : []);
    // alike ones in a row are counted, and not written one by one
    if (refused) {
      const told = (await audit()).filter(isRefusal).map(({ outcome }) => outcome);
      expect(told).toContainEqual(expect.stringMatching(refused));
    }
  });
});

describe("funcd, called by others' programs", () => {
  it("Python's client is treated alike", async () => {
    const cases: { name: string; key: string; cert: string }[] = [];
    for (const [name, { credentials }] of rows) {
      const file = join(fleet.root, `case-${cases.length}`);
      await writeFile(`${file}.key`, credentials.key ?? "", { mode: 0o600 });
      await writeFile(`${file}.crt`, credentials.certificate ?? "");
      cases.push({ name, key: `${file}.key`, cert: `${file}.crt` });
    }
    const caFile = join(fleet.root, "matrix-ca.crt");
    await writeFile(caFile, factory.ca);
    const program = `
import json, ssl, sys, xmlrpc.client
cases, ca, url, methods = json.loads(sys.stdin.read())
outcomes = {}
for case in cases:
    for method in methods:
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = False
        if open(case["cert"]).read():
            context.load_cert_chain(case["cert"], case["key"])
        try:
            proxy = xmlrpc.client.ServerProxy(url, context=context, allow_none=True)
            outcomes[case["name"] + " " + method] = ["answer", getattr(proxy, method)()]
        except Exception as error:
            outcomes[case["name"] + " " + method] = ["error", type(error).__name__]
print(json.dumps(outcomes))
`;
    const url = `https://127.0.0.1:${web1.port}/RPC2`;
    const input = JSON.stringify([cases, caFile, url, METHODS]);
    const run = spawnSync("python3", ["-c", program], { input, encoding: "utf8" });
    expect(run.stderr).toBe("");
    const outcomes = JSON.parse(run.stdout) as Record<string, [string, unknown]>;
    for (const [name, { refused }] of rows) {
      for (const method of METHODS) {
        const [kind, answer] = outcomes[`${name} ${method}`] ?? expect.fail();
        if (refused) expect([name, method, kind]).toEqual([name, method, "error"]);
        else expectAllowed(method, answer);
      }
    }
  });

  it("openssl s_client is treated alike", async () => {
    const body = encodeCall("test.ping", []);
    const head = `POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    const caFile = join(fleet.root, "matrix-ca.crt");
    await writeFile(caFile, factory.ca);
    for (const [name, { credentials, refused }] of rows) {
      const file = join(fleet.root, "openssl-case");
      const shown: string[] = [];
      if (credentials.key !== undefined && credentials.certificate !== undefined) {
        await writeFile(`${file}.pem`, credentials.key + credentials.certificate, { mode: 0o600 });
        shown.push("-cert", `${file}.pem`, "-key", `${file}.pem`);
      }
      const client = spawn("openssl", [
        ...["s_client", "-quiet", "-connect", `127.0.0.1:${web1.port}`, "-CAfile", caFile],
        ...shown,
      ]);
      let text = "";
      client.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
      client.stdin.on("error", () => undefined).write(Buffer.concat([Buffer.from(head), body]));
      await new Promise((resolve) => client.once("close", resolve));
      if (refused) expect([name, text]).toEqual([name, ""]);
      else expect([name, text]).toEqual([name, expect.stringContaining("200 OK")]);
    }
  });
});

const SERVERS: [string, RegExp, (factory: CertificateFactory) => Promise<TestCredentials>][] = [
  [
    "a minion of another CA",
    /comes from another CA/,
    async ({ ca }) => {
      const other = new TestAuthority("another CA");
      return Promise.resolve({
        ...other.issue({ uri: "func:minion:web1", usage: "serverAuth" }),
        ca,
      });
    },
  ],
  [
    "an expired minion with another key",
    /another key|expired/,
    (one) => one.issue({ role: "minion", name: "web1", fromHours: -48, toHours: -1 }),
  ],
  [
    "a minion that is not valid yet",
    /not valid yet/,
    (one) => one.issue({ role: "minion", name: "web1", fromHours: 1 }),
  ],
  ["another minion", /db1/, (one) => one.issue({ role: "minion", name: "db1" })],
  ["the right name with another key", /key/, (one) => one.issue({ role: "minion", name: "web1" })],
  ["an operator", /not meant for a server/, (one) => one.issue({ role: "operator", name: "web1" })],
  ["an overlord", /not meant for a server/, (one) => one.issue({ role: "overlord", name: "web1" })],
  [
    "a common name only",
    /does not present the certificate of a minion/,
    (one) => one.issue({ role: "minion", name: "web1", cnOnly: true }),
  ],
];

describe("the overlord, answered by", () => {
  it.each(SERVERS)("%s: refuses, and sends nothing", async (_name, told, issue) => {
    let reached = 0;
    const server = new RpcServer({
      ...(await issue(factory)),
      clientCertificate: "required",
      handle: () => Promise.resolve(++reached),
    });
    onTestFinished(() => server.close());
    const { port } = await server.listen(0, "127.0.0.1");
    await callAt(port, told);
    expect(reached).toBe(0);
  });

  it("no certificate at all: refuses, and sends nothing", async () => {
    let received = "";
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (piece: Buffer) => {
        received += piece.toString("latin1");
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await callAt((server.address() as AddressInfo).port, /does not speak TLS/);
    expect(received).not.toContain("POST");
  });

  it("the minion itself: calls it", async () => {
    const connection = await fleet.connection();
    await connection.request("minions/edit", { name: "web1", port: web1.port });
    for (const [module, method] of [
      ["test", "ping"],
      ["system", "list_methods"],
    ] as const) {
      const result = (await fleet.call(module, method)).get("web1");
      expect(result?.state).toBe("succeeded");
    }
  });
});

/** Calls web1 where something else listens, each time on a new connection. */
async function callAt(port: number, told: RegExp): Promise<void> {
  const connection = await fleet.connection();
  await connection.request("minions/edit", { name: "web1", port });
  for (const [module, method] of [
    ["test", "ping"],
    ["system", "list_methods"],
    ["test", "no_such_method"],
  ] as const) {
    const result = (await fleet.call(module, method)).get("web1");
    expect(result).toMatchObject({ state: "unreachable" });
    expect(result?.error?.message).toMatch(told);
    expect(result?.error?.message).toContain("web1");
  }
}
