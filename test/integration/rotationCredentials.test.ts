import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { FleetCredentials } from "../../server/overlord/fleetCredentials";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { RpcServer } from "../../server/wire/rpcServer";
import { MemorySpool } from "../fixtures/memorySpool";

const KEYS = { size: 1, successorsOf: () => [], sawKey: () => undefined };

let data: string;
let server: RpcServer | undefined;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "func-rotation-"));
});
afterEach(async () => {
  await server?.close();
  await rm(data, { recursive: true, force: true });
});

it("while the CA is replaced, a minion that knows only the old one can still be told, also after a restart", async () => {
  const first = new FleetCredentials(data, silentLog, new MemorySpool(), { ...KEYS, size: 0 });
  const authority = await first.authority();
  const { privateKeyPem, publicKey } = await generateKey();
  const { certificatePem } = await authority.issue({ role: "minion", name: "web1", publicKey });
  server = new RpcServer({
    key: privateKeyPem,
    certificate: certificatePem,
    ca: authority.certificatePem,
    clientCertificate: "required",
    handle: async () => 1,
  });
  const { port } = await server.listen(0, "127.0.0.1");
  const web1 = { name: "web1", address: "127.0.0.1", port };

  expect(await (await first.wire()).call(web1, "x.y", [])).toBe(1);
  await authority.startRotation("boss", undefined);
  await first.renewOwn();
  expect(await (await first.wire()).call(web1, "x.y", [])).toBe(1);
  await first.useNextAuthority();
  const again = new FleetCredentials(data, silentLog, new MemorySpool(), KEYS);
  await again.open();
  for (const credentials of [first, again]) {
    await expect((await credentials.wire()).call(web1, "x.y", [])).rejects.toThrow();
    expect(await (await credentials.tellingWire()).call(web1, "x.y", [])).toBe(1);
  }

  // once it knows the new one, both will do
  server.setCredentials({
    key: privateKeyPem,
    certificate: certificatePem,
    ca: authority.rotation.trustedPem,
  });
  expect(await (await again.wire()).call(web1, "x.y", [])).toBe(1);
  expect(await (await again.tellingWire()).call(web1, "x.y", [])).toBe(1);

  // and at the end what the old one has issued is refused, and its certificate for the overlord is gone
  const own = await readFile(join(data, "credentials", "overlord.pem"), "utf8");
  await authority.finishRotation();
  await first.renewOwn();
  await expect((await first.wire()).call(web1, "x.y", [])).rejects.toThrow(/another CA/);
  expect(await first.tellingWire()).toBe(await first.wire());
  expect(await readFile(join(data, "credentials", "overlord.pem"), "utf8")).toBe(own);
  await expect(stat(join(data, "credentials", "overlord-former.pem"))).rejects.toThrow("ENOENT");
  await first.close();
  await again.close();
});
