import { expect, it, vi } from "vitest";
import type { OverlordSession } from "../../extension/overlordSession";
import type { CertificateNode } from "../../extension/views/certificateNode";
import { CertificatesModel } from "../../extension/views/certificatesModel";
import { CertificatesTree } from "../../extension/views/certificatesTree";
import { expiryText, validityOf } from "../../extension/views/certificateValidity";
import type { CertificateRecord, CertmasterList } from "../../server/protocol/certmaster";

vi.mock("vscode", () => import("../fixtures/vscodeStub"));

const DAY_MS = 24 * 60 * 60 * 1000;
const nowMs = Date.now();

function record(name: string, daysLeft: number, more: Partial<CertificateRecord> = {}) {
  const notAfterMs = nowMs + daysLeft * DAY_MS + 60_000;
  const notBeforeMs = notAfterMs - 90 * DAY_MS;
  const serial = `${name}-${daysLeft}`;
  return { name, role: "minion", serial, keyFingerprint: "ab", notBeforeMs, notAfterMs, ...more };
}

function treeOf(told: object): CertificatesTree {
  const list = {
    caState: "ready",
    certificates: [],
    tokens: [],
    waiting: [],
    modes: {},
    revocationNumber: 0,
    ...told,
  } as unknown as CertmasterList;
  const model = new CertificatesModel({
    request: () => Promise.resolve(list),
  } as unknown as OverlordSession);
  return new CertificatesTree(model, () => model.load());
}

/** "label: description" of the rows below a row with this label. */
async function rows(tree: CertificatesTree, ...path: string[]): Promise<string[]> {
  let nodes: CertificateNode[] = await tree.getChildren();
  for (const label of path) {
    const parent = nodes.find((node) => tree.getTreeItem(node).label === label);
    nodes = parent ? await tree.getChildren(parent) : [];
  }
  return nodes.map((node) => {
    const { label, description } = tree.getTreeItem(node);
    return `${label as string}: ${description as string}`;
  });
}

it("says nothing where there is no CA, so that the view can say what one is", async () => {
  expect(await rows(treeOf({ caState: "none" }))).toEqual([]);
});

it("shows four groups, and how many are in each", async () => {
  const waiting = [{ name: "db1", keyFingerprint: "cd", words: "acid acorn", from: "10.0.0.9" }];
  const tokens = [
    { id: "t1", nameGlob: "web*", expiresAtMs: nowMs + 10 * 60_000 },
    { id: "over", expiresAtMs: nowMs - 1 },
  ];
  const tree = treeOf({
    waiting,
    tokens,
    modes: { autosign: { names: ["lab*"], networks: ["10.1.0.0/16"] } },
    certificates: [
      record("web1", 63),
      record("ann", 20, { role: "operator" }),
      record("web2", 5),
      record("web3", -2),
      record("web4", 80, { revoked: { atMs: nowMs - DAY_MS, reason: "lost" } }),
    ],
  });
  expect(await rows(tree)).toEqual([
    "Waiting: 1",
    "Signed: 4 · 2 need attention",
    "Join Tokens: 1",
    "Revoked: 1",
  ]);
  expect(await rows(tree, "Waiting")).toEqual([
    "Signed without approval: lab* from 10.1.0.0/16",
    "db1: from 10.0.0.9 · acid acorn",
  ]);
  expect(await rows(tree, "Signed")).toEqual([
    "web3: expired 1 day ago",
    "web2: expires in 5 days",
    "ann: operator · expires in 20 days",
    "web1: expires in 63 days",
  ]);
  expect(await rows(tree, "Join Tokens")).toEqual(["web*: 10 minutes left"]);
  expect(await rows(tree, "Revoked")).toEqual(["web4: revoked 1 day ago: lost"]);
});

it("tells roles and states apart by icons, and to ears", async () => {
  const tree = treeOf({
    certificates: [
      record("web1", 63),
      record("ann", 64, { role: "operator" }),
      record("lord", 65, { role: "overlord" }),
      record("web2", 5),
      record("web3", -2),
    ],
  });
  const [, signed] = await tree.getChildren();
  const items = (await tree.getChildren(signed)).map((node) => tree.getTreeItem(node));
  const icons = items.map(({ iconPath }) => (iconPath as { id: string }).id);
  expect(icons).toEqual(["error", "warning", "vm", "person", "radio-tower"]);
  const labels = items.map(({ accessibilityInformation }) => accessibilityInformation?.label);
  expect(labels.slice(2, 4)).toEqual([
    "web1, expires in 63 days, minion",
    "ann, operator · expires in 64 days",
  ]);
});

it("tells of what cannot be renewed, although it still runs for long", async () => {
  const renewalFailed = { sinceMs: nowMs - 60_000, problem: "web1 refused the connection" };
  const tree = treeOf({ certificates: [record("web1", 28, { renewalFailed })] });
  expect(await rows(tree, "Signed")).toEqual(["web1: expires in 28 days · renewal fails"]);
  const [, signed] = await tree.getChildren();
  const [node] = await tree.getChildren(signed);
  const item = node && tree.getTreeItem(node);
  expect((item?.iconPath as { id: string }).id).toBe("warning");
  const tooltip = node && item && tree.resolveTreeItem(item, node).tooltip;
  expect((tooltip as { value: string }).value).toContain("web1 refused the connection");
});

it("shows how far the replacement of the CA is", async () => {
  const rotation = { phase: "renewing", newFingerprint: "ef", told: 2, untold: ["db1"] };
  const [first] = await rows(treeOf({ rotation: { ...rotation, missing: ["web2", "db1"] } }));
  expect(first).toBe(
    "The CA is being replaced: 2 of 3 minions know the new CA, 1 of 3 are certified by it",
  );
  const [done] = await rows(treeOf({ rotation: { ...rotation, untold: [], missing: [] } }));
  expect(done).toContain("to finish: func ca rotate --finish");
});

it("shows a certificate that was renewed as such, and no more when it has ended", async () => {
  const tree = treeOf({
    certificates: [record("web1", 80), record("web1", 3), record("web1", -5)],
  });
  expect(await rows(tree)).toContain("Signed: 2");
  expect(await rows(tree, "Signed")).toEqual([
    "web1: renewed · expires in 3 days",
    "web1: expires in 80 days",
  ]);
});

it("keeps levels short with 10,000 certificates, those that need attention in front", async () => {
  const certificates = Array.from({ length: 10_000 }, (_, index) =>
    record(`web${String(index).padStart(5, "0")}`, index < 3 ? -1 : index < 8 ? 4 : 60),
  );
  const revoked = certificates.map((one) => ({
    ...one,
    name: `old${one.name}`,
    revoked: { atMs: nowMs, reason: "" },
  }));
  const tree = treeOf({ certificates: [...certificates, ...revoked] });
  const top = await rows(tree, "Signed");
  expect(top.slice(0, 2)).toEqual(["Expired: 3 certificates", "Expire Soon: 5 certificates"]);
  expect(top.length).toBeLessThan(1_000);
  expect(await rows(tree, "Signed", "Expired")).toHaveLength(3);
  const folders = top.slice(2).map((row) => row.slice(0, row.indexOf(":")));
  const counts = await Promise.all(folders.map((label) => rows(tree, "Signed", label)));
  expect(Math.max(...counts.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
  expect(counts.flat()).toHaveLength(9_992);
  expect((await rows(tree, "Revoked")).length).toBeLessThan(1_000);
});

it("warns of an end two weeks ahead, and of a short life's only after renewal was due", () => {
  const of = (days: number, left: number) =>
    validityOf({ notBeforeMs: (left - days) * DAY_MS, notAfterMs: left * DAY_MS }, 0);
  expect(of(90, 15)).toBe("valid");
  expect(of(90, 13)).toBe("soon");
  expect(of(30, 10)).toBe("valid");
  expect(of(30, 7)).toBe("soon");
  expect(of(30, 0)).toBe("expired");
  expect(expiryText(DAY_MS + 1, 0)).toBe("expires in 1 day");
  expect(expiryText(5.5 * 60 * 60 * 1000, 0)).toBe("expires in 5 hours");
  expect(expiryText(0, 3 * 60_000)).toBe("expired 3 minutes ago");
});

it("shows what waits at sub-overlords, and tells one that cannot be asked", async () => {
  const waiting = [{ name: "db1", keyFingerprint: "cd", words: "acid acorn", from: "10.0.0.9" }];
  const there = { caState: "ready", caWords: "blue box", waiting };
  let caState = "none";
  const leaf = { name: "leaf1", children: [] };
  const model = new CertificatesModel({
    request: (method: string, params: { path?: string[] }) => {
      if (method === "map/read") {
        const nodes = ["mid1", "mid2"].map((name) => ({ name, children: [leaf] }));
        return Promise.resolve({ nodes });
      }
      if (params.path?.[0] === "mid2") return Promise.reject(new Error("mid2 is away"));
      const own = { caState, certificates: [], tokens: [], waiting: [], modes: {} };
      return Promise.resolve(method === "overlord/at" ? there : own);
    },
  } as unknown as OverlordSession);
  const tree = new CertificatesTree(model, () => model.load());
  await model.loadBelow();
  expect(await rows(tree)).toEqual(["Waiting at mid1: 1", "Waiting at mid2: could not be asked"]);
  expect(await rows(tree, "Waiting at mid1")).toEqual(["db1: from 10.0.0.9 · acid acorn"]);
  caState = "ready";
  await model.load();
  const labels = (await rows(tree)).map((row) => row.replace(/:.*/, ""));
  const own = ["Signed", "Join Tokens", "Revoked"];
  expect(labels).toEqual(["Waiting", "Waiting at mid1", ...own, "Waiting at mid2"]);
  const request = { kind: "request", name: "db1", keyFingerprint: "cd" } as const;
  expect(model.waitingOf({ ...request, at: "mid1" })).toMatchObject({
    at: ["mid1"],
    caWords: "blue box",
  });
  expect(model.waitingOf(request)).toBeUndefined();
  model.takeAt(["mid1"], { ...there, waiting: [] } as unknown as CertmasterList);
  expect(await rows(tree, "Waiting at mid1")).toEqual([]);
});

it("gathers sub-overlords at which nobody waits where they are many", async () => {
  const list = { caState: "ready", certificates: [], tokens: [], waiting: [], modes: {} };
  const request = { name: "db1", keyFingerprint: "cd", words: "acid acorn", from: "10.0.0.9" };
  let hops = 6;
  const node = (name: string) => ({ name, children: [{ name: `${name}-leaf`, children: [] }] });
  const model = new CertificatesModel({
    request: (method: string, { path: [name] = [""] }: { path?: string[] }) => {
      if (method === "map/read") {
        const names = Array.from({ length: hops }, (_, index) => `mid${index + 1}`);
        return Promise.resolve({ nodes: names.map(node) });
      }
      if (method !== "overlord/at") return Promise.resolve(list);
      if (name === "mid2") return Promise.reject(new Error("mid2: no route"));
      return Promise.resolve(name === "mid4" ? { ...list, waiting: [request] } : list);
    },
  } as unknown as OverlordSession);
  const tree = new CertificatesTree(model, () => model.load());
  const sites = async () => (await rows(tree)).filter((row) => /^(Waiting at|Other)/.test(row));
  await model.loadBelow();
  expect(await sites()).toEqual([
    "Waiting at mid4: 1",
    ...["mid1: none", "mid2: could not be asked", "mid3: none", "mid5: none", "mid6: none"].map(
      (row) => `Waiting at ${row}`,
    ),
  ]);
  hops = 7;
  await model.loadBelow();
  expect(await sites()).toEqual([
    "Waiting at mid4: 1",
    "Other Sub-Overlords: 6 · 1 could not be asked",
  ]);
  expect(await rows(tree, "Other Sub-Overlords")).toHaveLength(6);
});
