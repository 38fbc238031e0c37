import { describe, expect, it, vi } from "vitest";
import { chosenTargets, hostPath } from "../../extension/commands/selection";
import { delegateByDefault } from "../../extension/delegateByDefault";
import type { OverlordSession } from "../../extension/overlordSession";
import type { Services } from "../../extension/services";
import { FuncError } from "../../server/common/errors";

const settings = vi.hoisted(() => ({ delegate: true }));

vi.mock("vscode", async () => ({
  ...(await import("../fixtures/vscodeStub")),
  workspace: { getConfiguration: () => ({ get: () => settings.delegate }) },
}));

/** An overlord on whose map two hosts are called web1. */
function sessionWith(error?: FuncError): OverlordSession {
  return {
    request: (_method: string, { names }: { names: string[] }) => {
      if (error) return Promise.reject(error);
      return names.includes("web1")
        ? Promise.reject(new FuncError("conflict", "two of them"))
        : Promise.resolve({ paths: [] });
    },
  } as unknown as OverlordSession;
}

const services = {
  session: sessionWith(),
  minionsView: { tree: { namesIn: () => Promise.resolve([]) } },
} as unknown as Services;

describe("what was chosen on the map, or in the tree", () => {
  it("is called through the map where it stands behind a sub-overlord", async () => {
    const chosen = await chosenTargets(services, { funcPath: ["mid1", "db1"] }, undefined);
    expect(chosen).toEqual({ spec: "db1", delegate: true });
  });

  it("is named with its overlord where several have the name", async () => {
    const chosen = await chosenTargets(services, { funcPath: ["mid2", "web1"] }, undefined);
    expect(chosen).toEqual({ spec: "web1@mid2", delegate: true });
  });

  it("is called as ever where it is a minion of this overlord", async () => {
    const chosen = await chosenTargets(services, { funcPath: ["mid1"] }, undefined);
    expect(chosen).toEqual({ spec: "mid1" });
  });

  it("may be several rows, some of them behind sub-overlords", async () => {
    const own = { kind: "minion", name: "own" };
    const behind = { kind: "behind", name: "db1", path: ["mid1", "db1"] };
    const chosen = await chosenTargets(services, own, [own, behind]);
    expect(chosen).toEqual({ spec: "own;db1", delegate: true });
  });

  it("is nothing where the path is none", async () => {
    for (const funcPath of [[], "web1", [1], undefined]) {
      expect(hostPath({ funcPath })).toBeUndefined();
      expect(await chosenTargets(services, { funcPath }, undefined)).toBeUndefined();
    }
  });
});

describe("whether calls reach behind sub-overlords", () => {
  it("asks the map, and the setting first", async () => {
    expect(await delegateByDefault(sessionWith())).toBe(true);
    const none = new FuncError("not-found", "no map");
    expect(await delegateByDefault(sessionWith(none))).toBe(false);
    settings.delegate = false;
    expect(await delegateByDefault(sessionWith())).toBe(false);
    settings.delegate = true;
  });

  it("is not switched off silently by a damaged map", async () => {
    const damaged = new FuncError("bad-data", "line 3");
    expect(await delegateByDefault(sessionWith(damaged))).toBe(true);
    const away = new FuncError("unavailable", "away");
    await expect(delegateByDefault(sessionWith(away))).rejects.toBe(away);
  });
});
