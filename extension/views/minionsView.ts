import { homedir } from "node:os";
import type { Disposable } from "vscode";
import { commands, l10n, window, workspace, type TreeView } from "vscode";
import { MINIONS_VIEW } from "../commandIds";
import type { OverlordSession, SessionState } from "../overlordSession";
import type { BehindModel } from "./behindModel";
import { GroupDrop } from "./groupDrop";
import type { GroupsModel } from "./groupsModel";
import type { MinionsModel } from "./minionsModel";
import { MinionsTree } from "./minionsTree";
import type { TreeNode } from "./treeNode";

/** Wires the tree "Minions" to the overlord: lists when first seen, then follows what changes. */
export class MinionsView implements Disposable {
  readonly tree: MinionsTree;
  private readonly view: TreeView<TreeNode>;
  private readonly disposables: Disposable[];
  private loading: Promise<void> | undefined;

  constructor(
    private readonly session: OverlordSession,
    private readonly model: MinionsModel,
    private readonly groups: GroupsModel,
    private readonly behind: BehindModel,
    onDropped: (nodes: readonly TreeNode[], group: string | undefined) => Promise<void>,
  ) {
    this.tree = new MinionsTree(model, groups, behind, () => this.load());
    this.view = window.createTreeView(MINIONS_VIEW, {
      treeDataProvider: this.tree,
      dragAndDropController: new GroupDrop(onDropped),
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.disposables = [
      this.tree,
      this.view,
      session.onMinionsChanged((changes) => {
        const members = model.apply(changes);
        if (members) groups.forgetMembers();
        this.tree.refresh(members ? undefined : changes.changed.map(({ name }) => name));
      }),
      session.onDidRestart(() => {
        this.loading = undefined;
        this.tree.refresh();
      }),
      session.onDidChangeState((state) => this.show(state)),
      behind.onDidChange((change) => {
        if (change === "map" || this.tree.showsBehind) this.tree.refresh();
      }),
      session.onGroupsChanged(() => this.lookAtGroups()),
      // people edit the file by hand too, and nothing tells of it
      this.view.onDidChangeVisibility(() => this.lookAtGroups()),
      this.view.onDidExpandElement(({ element }) => {
        if (element.kind === "groups") this.lookAtGroups();
      }),
      window.onDidChangeWindowState(({ focused }) => {
        if (focused) this.lookAtGroups();
      }),
    ];
  }

  /** Asks for the list anew and pings all minions; returns when the list is there. */
  async refresh(): Promise<void> {
    this.loading = undefined;
    await this.load();
    this.tree.refresh();
    this.ping(this.model.names());
  }

  /** Shows groups that this window has changed. */
  groupsChanged(): void {
    this.tree.refresh();
  }

  /** Brings the view to the front. */
  async focus(): Promise<void> {
    await commands.executeCommand(`${MINIONS_VIEW}.focus`);
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private lookAtGroups(): void {
    if (!this.view.visible || this.session.state.kind !== "connected") return;
    void this.groups.load().then((changed) => {
      if (changed) this.tree.refresh();
    });
  }

  /** Never rejects: a failure shows in the view's welcome content and in a notification. */
  private load(): Promise<void> {
    if (this.session.state.kind === "failed") return Promise.resolve();
    this.loading ??= this.list();
    return this.loading;
  }

  private async list(): Promise<void> {
    try {
      const [records] = await Promise.all([
        this.session.request("minions/list", {}),
        this.groups.load(),
        this.behind.load(),
      ]);
      this.model.replace(records);
      this.ping(this.model.names().filter((name) => this.model.get(name)?.state === "unknown"));
    } catch {
      this.model.replace([]);
      this.loading = undefined;
    }
  }

  /** In the background and quietly: the answers show as states in the tree. */
  private ping(names: readonly string[]): void {
    if (names.length === 0 || !workspace.isTrusted) return;
    const spec = names.length === this.model.size ? "*" : names.join(";");
    this.session
      .request("calls/start", { spec, module: "test", method: "ping", args: [], background: true })
      .catch(() => undefined);
  }

  private show(state: SessionState): void {
    void commands.executeCommand("setContext", "func.state", state.kind);
    if (state.kind === "connected") {
      const { host, dataDirectory } = state.hello;
      this.view.description = l10n.t("{0} · {1}", host, shortPath(dataDirectory));
    } else if (state.kind === "failed") {
      this.view.description = l10n.t("no overlord");
      this.model.replace([]);
      this.loading = undefined;
      this.tree.refresh();
    }
  }
}

function shortPath(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
