import { describe, expect, it } from "vitest";
import { auditedParams, auditedResult, isAudited } from "../../server/overlord/auditedRequest";

describe("what is audited of a request", () => {
  it("names what it deals with, and none of its secrets", () => {
    const secrets = {
      passphrase: "s3cret",
      old: "s3cret",
      next: "s3cret",
      csr: "s3cret",
      args: ["s3cret", { deep: "s3cret" }],
      token: "s3cret",
      unknown: "s3cret",
    };
    const told = auditedParams({ ...secrets, name: "web1", spec: "web*", force: true, days: 9 });
    expect(JSON.stringify(told)).not.toContain("s3cret");
    expect(told).toMatchObject({ name: "web1", spec: "web*", force: true, days: 9 });
    expect(told["argumentsDigest"]).toMatch(/^[0-9a-f]{64}$/);
    const token = { id: "t1", token: "s3cret", expiresAtMs: 1, addresses: [], caFingerprint: "x" };
    expect(auditedResult("certmaster/createToken", token)).toEqual({ tokenId: "t1" });
  });

  it("is bounded", () => {
    const told = auditedParams({
      spec: "x".repeat(1_000_000),
      names: Array.from({ length: 100_000 }, (_, at) => `web${at}`),
      add: [{ deep: "x".repeat(10_000) }],
    });
    expect(JSON.stringify(told).length).toBeLessThan(3_000);
    expect(told).toMatchObject({ namesCount: 100_000, add: ["object"] });
  });

  it("is something for every request that is not known to be harmless", () => {
    expect(isAudited("minions/list", {})).toBe(false);
    for (const method of ["calls/start", "certmaster/unlock", "overlord/stop", "some/new"]) {
      expect(isAudited(method, {})).toBe(true);
    }
  });
});

describe("what is asked of a sub-overlord", () => {
  const asked = (request: string, path: string[]) => ({
    path,
    request,
    params: { name: "web1", token: "s3cret", params: { request: "deep", params: {} } },
  });

  it("is audited as what it asks for, with its names", () => {
    const approve = asked("certmaster/approve", ["mid1"]);
    expect(isAudited("overlord/at", approve)).toBe(true);
    expect(auditedParams(approve)).toEqual({
      path: ["mid1"],
      request: "certmaster/approve",
      asked: { name: "web1" },
    });
    expect(isAudited("overlord/at", asked("certmaster/list", ["mid1"]))).toBe(false);
  });

  it("is audited once where it arrives", () => {
    expect(isAudited("delegation/ask", asked("certmaster/approve", ["mid3"]))).toBe(true);
    expect(isAudited("delegation/ask", asked("certmaster/approve", []))).toBe(false);
  });
});

describe("what an overlord above asks for", () => {
  it("is audited with who asks, and not with what is called", () => {
    const call = { text: "s3cret", signature: "s3cret", publicKey: "s3cret" };
    const targets = [{ path: ["leaf1"], callId: "c1" }];
    const signed = { request: { call, spec: "leaf*", targets, nforks: 9 }, by: "overlord top" };
    expect(auditedParams(signed)).toEqual({ spec: "leaf*", total: 1, by: "overlord top" });
    expect(auditedResult("delegation/start", { jobId: "j1" })).toEqual({ jobId: "j1" });
    const plain = { module: "test", method: "ping", args: ["s3cret"], paths: [["a"], ["b"]] };
    const told = auditedParams({ request: plain, by: "overlord top" });
    expect(told).toMatchObject({ module: "test", method: "ping", total: 2, by: "overlord top" });
    expect(JSON.stringify(told)).not.toContain("s3cret");
  });
});

it("takes what nests deeper than any stack", () => {
  const deep = (): unknown => {
    let value: unknown = [];
    for (let level = 0; level < 200_000; level++) value = [value];
    return value;
  };
  const told = auditedParams({ method: "echo", args: deep(), names: deep() });
  expect(told).toMatchObject({ method: "echo", names: ["object"] });
  expect(told["argumentsDigest"]).toContain("too deep");
});
