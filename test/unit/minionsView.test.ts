import { expect, it, vi } from "vitest";
import type { OverlordSession } from "../../extension/overlordSession";
import { BehindModel } from "../../extension/views/behindModel";
import { GroupsModel } from "../../extension/views/groupsModel";
import { MinionsModel } from "../../extension/views/minionsModel";
import { MinionsView } from "../../extension/views/minionsView";
import type { GroupRecord } from "../../server/protocol/groups";
import { EventEmitter } from "../fixtures/vscodeStub";

const view = vi.hoisted(() => ({ visible: true }));

vi.mock("vscode", async () => {
  const stub = await import("../fixtures/vscodeStub");
  const never = (): { dispose(): void } => ({ dispose: () => undefined });
  const treeView = {
    dispose: () => undefined,
    onDidChangeVisibility: never,
    onDidExpandElement: never,
    get visible() {
      return view.visible;
    },
  };
  return {
    ...stub,
    window: { createTreeView: () => treeView, onDidChangeWindowState: never },
    workspace: { isTrusted: false },
  };
});

it("shows groups that another client has changed", async () => {
  const groupsChanged = new EventEmitter<void>();
  const other = new EventEmitter<never>();
  let groups: GroupRecord[] = [];
  const session = {
    state: { kind: "connected" },
    onGroupsChanged: groupsChanged.event,
    onMinionsChanged: other.event,
    onDidRestart: other.event,
    onMapChanged: other.event,
    onJobsChanged: other.event,
    onDidChangeState: other.event,
    request: () => Promise.resolve(groups),
  } as unknown as OverlordSession;
  const minions = new MinionsModel();
  const model = new GroupsModel(session, minions);
  const shown = new MinionsView(session, minions, model, new BehindModel(session), () =>
    Promise.resolve(),
  );
  const redrawn = new Promise((resolve) => shown.tree.onDidChangeTreeData(resolve));
  groups = [{ name: "web", hosts: ["web1"] }];
  groupsChanged.fire();
  expect(await redrawn).toBeUndefined();
  expect(model.records).toEqual(groups);

  // a view that nobody sees asks when it is opened
  view.visible = false;
  groups = [];
  groupsChanged.fire();
  await Promise.resolve();
  expect(model.records).toHaveLength(1);
  shown.dispose();
});
