import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { Certmaster } from "../../server/pki/certmaster/certmaster";
import type { Refusal } from "../../server/pki/certmaster/certmasterRequests";
import { Triggers } from "../../server/pki/certmaster/triggers";
import { changed, CertmasterLab, enrol } from "../fixtures/certmasterLab";

let lab: CertmasterLab;
let certmaster: Certmaster;
let refusals: Refusal[];
let changes: number;

beforeEach(async () => {
  lab = await CertmasterLab.open();
  refusals = [];
  changes = 0;
  certmaster = new Certmaster({
    authority: async () => lab.authority,
    existingAuthority: () => lab.authority,
    listen: { host: "127.0.0.1", port: 0 },
    triggers: new Triggers(join(lab.home, "triggers"), silentLog),
    log: silentLog,
    onEnrolled: (minion) => lab.remember(minion),
    onRefused: (refusal) => refusals.push(refusal),
    onChanged: () => (changes += 1),
  });
  lab.cleanup(() => certmaster.close());
});
afterEach(() => lab.close());

it("looks at no token from a source that sent twenty wrong ones, not even a right one", async () => {
  const { token } = await certmaster.createToken({});
  const guess = (at: number): string =>
    changed(token, { id: at.toString(16).padStart(8, "0"), secret: "x".repeat(43) });
  for (let at = 0; at < 20; at++) {
    await expect(enrol(guess(at), "web1")).rejects.toMatchObject({ reason: "denied" });
  }
  await expect(enrol(guess(20), "web1")).rejects.toMatchObject({
    reason: "unavailable",
    message: expect.stringMatching(/too many wrong join tokens from 127\.0\.0\.1/) as string,
  });
  await expect(enrol(token, "web1")).rejects.toMatchObject({ reason: "unavailable" });
  expect(certmaster.tokens()).toHaveLength(1); // nobody but the guesser has lost anything
  // for the audit: some of each kind one by one, later how many more
  const reasons = refusals.map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason.includes("not valid"))).toHaveLength(5);
  expect(reasons.some((reason) => reason.includes("too many wrong"))).toBe(true);
  expect(refusals[0]).toEqual({
    from: "127.0.0.1",
    name: "web1",
    reason: "The join token is not valid.",
  });
  expect(lab.enrolled).toEqual([]);
});

it("is told which host was refused, and why, but never a secret", async () => {
  const { token } = await certmaster.createToken({ nameGlob: "web*" });
  await certmaster.createToken({});
  await enrol(token, "db1").catch(() => undefined);
  await enrol(token, "web1");
  await enrol(token, "web2").catch(() => undefined);
  expect(refusals).toEqual([
    { from: "127.0.0.1", name: "db1", reason: expect.stringContaining("web*") as string },
    { from: "127.0.0.1", name: "web2", reason: expect.stringContaining("used already") as string },
  ]);
  expect(JSON.stringify(refusals)).not.toContain(token.slice(-20));
});

it("takes a token back", async () => {
  const { id, token } = await certmaster.createToken({});
  const other = await certmaster.createToken({});
  changes = 0;
  certmaster.closeToken(id);
  expect(changes).toBe(1);
  expect(certmaster.tokens().map((open) => open.id)).toEqual([other.id]);
  await expect(enrol(token, "web1")).rejects.toMatchObject({
    reason: "denied",
    message: expect.stringContaining("taken back") as string,
  });
  expect(() => certmaster.closeToken(id)).toThrow("no open join token");
  certmaster.closeToken(other.id);
  await expect.poll(() => certmaster.listening(), { timeout: 10_000 }).toBeUndefined();
});

it("is open for requests only as long as it was told", async () => {
  await expect(certmaster.setApproval(24 * 60 * 60_000 + 1)).rejects.toThrow("24 hours");
  await certmaster.setApproval(60_000);
  expect(certmaster.listening()).toBeDefined();
  expect(certmaster.isActive()).toBe(true);
  await certmaster.setApproval(0);
  expect(certmaster.modes().approvalUntilMs).toBeUndefined();
  await expect.poll(() => certmaster.listening(), { timeout: 10_000 }).toBeUndefined();
  await certmaster.setApproval(500);
  await expect.poll(() => certmaster.listening(), { timeout: 10_000 }).toBeUndefined();
  expect(certmaster.isActive()).toBe(false);
});
