import { homedir } from "node:os";
import type { Disposable } from "vscode";
import { commands, l10n, window, workspace, type TreeView } from "vscode";
import { MINIONS_VIEW } from "../commandIds";
import type { OverlordSession, SessionState } from "../overlordSession";
import type { MinionsModel } from "./minionsModel";
import { MinionsTree, type TreeNode } from "./minionsTree";

/** Wires the tree "Minions" to the overlord: lists when first seen, then follows what changes. */
export class MinionsView implements Disposable {
  readonly tree: MinionsTree;
  private readonly view: TreeView<TreeNode>;
  private readonly disposables: Disposable[];
  private loading: Promise<void> | undefined;

  constructor(
    private readonly session: OverlordSession,
    private readonly model: MinionsModel,
  ) {
    this.tree = new MinionsTree(model, () => this.load());
    this.view = window.createTreeView(MINIONS_VIEW, {
      treeDataProvider: this.tree,
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.disposables = [
      this.tree,
      this.view,
      session.onMinionsChanged((changes) => {
        const members = model.apply(changes);
        this.tree.refresh(members ? undefined : changes.changed.map(({ name }) => name));
      }),
      session.onDidRestart(() => {
        this.loading = undefined;
        this.tree.refresh();
      }),
      session.onDidChangeState((state) => this.show(state)),
    ];
  }

  /** Asks for the list anew and pings all minions; returns when the list is there. */
  async refresh(): Promise<void> {
    this.loading = undefined;
    await this.load();
    this.tree.refresh();
    this.ping(this.model.names());
  }

  /** Brings the view to the front. */
  async focus(): Promise<void> {
    await commands.executeCommand(`${MINIONS_VIEW}.focus`);
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  /** Never rejects: a failure shows in the view's welcome content and in a notification. */
  private load(): Promise<void> {
    if (this.session.state.kind === "failed") return Promise.resolve();
    this.loading ??= this.list();
    return this.loading;
  }

  private async list(): Promise<void> {
    try {
      this.model.replace(await this.session.request("minions/list", {}));
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
      .request("calls/start", { spec, module: "test", method: "ping", args: [] })
      .catch(() => undefined);
  }

  private show(state: SessionState): void {
    void commands.executeCommand("setContext", "func.state", state.kind);
    if (state.kind === "connected") {
      const { host, dataDirectory } = state.hello;
      // in the title, since VS Code shows no description of the only view of a container
      this.view.title = l10n.t("Minions · {0} · {1}", host, shortPath(dataDirectory));
    } else if (state.kind === "failed") {
      this.view.title = l10n.t("Minions · no overlord");
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
