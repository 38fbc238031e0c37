import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { isIssuedBy } from "../../server/pki/enrolment/renewal";
import type { WireClientOptions } from "../../server/wire/wireClient";
import { TestAuthority } from "../fixtures/testCertificates";
import { WireHarness } from "../fixtures/wireHarness";

const EXPIRED = { uri: "func:minion:web1", usage: "serverAuth", validForMs: -1000 } as const;

let harness: WireHarness;
let ours: Pick<WireClientOptions, "acceptExpired" | "verifyPeer">;

beforeEach(() => {
  harness = new WireHarness();
  const ca = new X509Certificate(harness.authority.ca);
  ours = {
    verifyPeer: verifyMinionPeer,
    acceptExpired: (certificate) => isIssuedBy(certificate, ca),
  };
});
afterEach(() => harness.close());

it("a client that takes expired certificates takes those of our CA, and goes on with the connection", async () => {
  const peer = await harness.serve(harness.authority.issue(EXPIRED));
  const client = harness.client(ours);
  for (let call = 0; call < 3; call++)
    expect(await client.call(peer, "a.b", [call])).toEqual([call]);
  await expect(harness.client().call(peer, "a.b", [])).rejects.toMatchObject({ reason: "tls" });
});

it.each([
  ["another CA", "other"],
  ["another CA of the same name", "test CA"],
])("it takes no expired certificate of %s", async (_what, name) => {
  const other = new TestAuthority(name);
  const stranger = { ...other.issue(EXPIRED), ca: harness.authority.ca };
  const peer = await harness.serve(stranger);
  await expect(harness.client(ours).call(peer, "a.b", [])).rejects.toMatchObject({ reason: "tls" });
});

it("it takes no expired certificate of another name, role or key, nor one that is not valid yet", async () => {
  const { authority } = harness;
  const web2 = await harness.serve(authority.issue({ ...EXPIRED, uri: "func:minion:web2" }));
  const overlord = await harness.serve(
    authority.issue({ ...EXPIRED, uri: "func:overlord:web1", usage: "clientAuth" }),
  );
  const pinned = {
    ...(await harness.serve(authority.issue(EXPIRED))),
    keyFingerprint: "00".repeat(32),
  };
  const early = await harness.serve(
    authority.issue({ ...EXPIRED, validInMs: 60_000, validForMs: 120_000 }),
  );
  const client = harness.client(ours);
  for (const peer of [web2, overlord, pinned]) {
    await expect(client.call(peer, "a.b", [])).rejects.toMatchObject({ reason: "wrong-identity" });
  }
  await expect(client.call(early, "a.b", [])).rejects.toMatchObject({ reason: "tls" });
});
