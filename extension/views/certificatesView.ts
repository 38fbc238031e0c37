import { commands, l10n, window, type Disposable, type TreeView } from "vscode";
import { CERTIFICATES_VIEW } from "../commandIds";
import type { OverlordSession, SessionState } from "../overlordSession";
import type { CertificateNode } from "./certificateNode";
import type { CertificatesModel } from "./certificatesModel";
import { CertificatesTree } from "./certificatesTree";

/** A fleet that renews its certificates changes them a thousand times in a minute. */
const RELOAD_AFTER_MS = 500;
/** More for each certificate, all of which are told anew. */
const RELOAD_EACH_MS = 0.3;
/** While tokens are open or requests are taken, what is left of their time is shown by the minute. */
const TICK_MS = 30_000;

/** Wires the tree "Certificates" to the overlord; its badge counts also while nobody sees the view. */
export class CertificatesView implements Disposable {
  private readonly tree: CertificatesTree;
  private readonly view: TreeView<CertificateNode>;
  private readonly disposables: Disposable[];
  private readonly ticking: NodeJS.Timeout;
  private reloading: NodeJS.Timeout | undefined;

  constructor(
    private readonly session: OverlordSession,
    private readonly model: CertificatesModel,
  ) {
    this.tree = new CertificatesTree(model, () => this.loaded());
    this.view = window.createTreeView(CERTIFICATES_VIEW, {
      treeDataProvider: this.tree,
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    this.disposables = [
      this.tree,
      this.view,
      model.onDidChange(() => this.show()),
      this.view.onDidChangeVisibility(({ visible }) => {
        if (visible) void model.loadBelow();
      }),
      session.onMapChanged(() => {
        if (this.view.visible) void model.loadBelow();
      }),
      session.onDidChangeState((state) => this.follow(state)),
      session.onCertificatesChanged(() => {
        const count = model.list?.certificates.length ?? 0;
        this.reloading ??= setTimeout(
          () => {
            this.reloading = undefined;
            void model.load();
          },
          RELOAD_AFTER_MS + count * RELOAD_EACH_MS,
        );
      }),
    ];
  }

  /** Opens the view at a row. */
  async reveal(node: CertificateNode): Promise<void> {
    await commands.executeCommand(`${CERTIFICATES_VIEW}.focus`);
    await this.view.reveal(node, { select: true, focus: true, expand: true });
  }

  dispose(): void {
    clearInterval(this.ticking);
    clearTimeout(this.reloading);
    for (const disposable of this.disposables) disposable.dispose();
  }

  /** Never rejects: a failure shows in the view's welcome content and in a notification. */
  private async loaded(): Promise<void> {
    if (this.model.list || this.session.state.kind === "failed") return;
    await this.model.load();
  }

  private follow(state: SessionState): void {
    // an overlord that was started anew has no requests and tokens of before
    if (state.kind === "connected") {
      void this.model.load();
      if (this.view.visible) void this.model.loadBelow();
    } else if (state.kind === "failed") this.model.take(undefined);
  }

  private show(): void {
    const { list, approvalUntilMs } = this.model;
    const waiting = this.model.allWaiting();
    const tooltip =
      waiting.length === 1
        ? l10n.t("1 certificate request waits")
        : l10n.t("{0} certificate requests wait", waiting.length);
    this.view.badge = waiting.length > 0 ? { value: waiting.length, tooltip } : undefined;
    setContext("func.ca", list?.caState);
    setContext("func.requestsTaken", approvalUntilMs !== undefined);
    this.tree.refresh();
  }

  private tick(): void {
    // nobody tells of what comes to wait there
    if (this.view.visible && this.session.state.kind === "connected") void this.model.loadBelow();
    const { list, tokens, approvalUntilMs } = this.model;
    const over =
      tokens.length < (list?.tokens.length ?? 0) ||
      (approvalUntilMs === undefined && list?.modes.approvalUntilMs !== undefined);
    if (over) this.show();
    else if (this.view.visible && (tokens.length > 0 || approvalUntilMs !== undefined)) {
      this.tree.refresh();
    }
  }
}

function setContext(key: string, value: unknown): void {
  void commands.executeCommand("setContext", key, value);
}
