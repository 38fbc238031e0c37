import { EventEmitter, l10n, TreeItem, type TreeDataProvider } from "vscode";
import type { SubOverlordList } from "../../server/client/waitingBelow";
import type { CertificateRecord } from "../../server/protocol/certmaster";
import {
  certificateItem,
  folderItem,
  modeItem,
  requestItem,
  rotationText,
  sectionItem,
  siteItem,
  sitesItem,
  tokenItem,
  untilText,
} from "./certificateItems";
import type {
  CertificateList,
  CertificateMode,
  CertificateNode,
  CertificateSection,
} from "./certificateNode";
import { certificateTooltip, requestTooltip } from "./certificateTooltips";
import { certificateKey, type CertificatesModel } from "./certificatesModel";
import { MAX_SIBLINGS, minionNodes } from "./minionFolders";

type SectionNode = Extract<CertificateNode, { kind: "section" }>;

/** Changes come in bursts: 1,000 renewals are one refresh, not 1,000. */
const COALESCE_MS = 100;
/** Sub-overlords at which nobody waits stand in one row where there are more. */
const MAX_IDLE_SITES = 5;
/** In the order in which they show. */
const SECTIONS: readonly CertificateSection[] = ["waiting", "signed", "tokens", "revoked"];
/** The signed ones where they are too many for one level: first what needs attention. */
const URGENT: readonly CertificateList[] = ["expired", "soon"];

/** The tree "Certificates": a view of the model, with stable ids. */
export class CertificatesTree implements TreeDataProvider<CertificateNode> {
  private readonly emitter = new EventEmitter<CertificateNode | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private readonly sections = new Map<CertificateSection, SectionNode>(
    SECTIONS.map((section) => [section, { kind: "section", section }]),
  );
  private timer: NodeJS.Timeout | undefined;

  /** `loaded` is awaited before the first level is shown, so that the view shows its progress bar. */
  constructor(
    private readonly model: CertificatesModel,
    private readonly loaded: () => Promise<void>,
  ) {}

  refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.emitter.fire(undefined);
    }, COALESCE_MS);
  }

  async getChildren(parent?: CertificateNode): Promise<CertificateNode[]> {
    if (!parent) {
      await this.loaded();
      return this.top();
    }
    if (parent.kind === "folder") return this.level(parent.list, parent.prefix);
    if (parent.kind === "site") return this.rowsAt(parent.at);
    if (parent.kind === "sites") return this.idleSites().map(siteNode);
    return parent.kind === "section" ? this.rowsOf(parent.section) : [];
  }

  getTreeItem(node: CertificateNode): TreeItem {
    switch (node.kind) {
      case "section":
        return this.section(node);
      case "mode":
        return modeItem(node, this.modeText(node.mode));
      case "folder":
        return folderItem(node);
      case "request": {
        const request = this.model.waitingOf(node);
        return request ? requestItem(node, request) : gone(node.name);
      }
      case "site": {
        const site = this.model.below.find(({ path }) => path.join("/") === node.at);
        return site ? siteItem(node, site) : gone(node.at);
      }
      case "sites": {
        const idle = this.idleSites();
        const away = idle.filter(({ problem }) => problem !== undefined).length;
        return sitesItem(node, idle.length, away);
      }
      case "token": {
        const token = this.model.tokens.find(({ id }) => id === node.id);
        return token ? tokenItem(node, token) : gone(node.id);
      }
      case "certificate": {
        const record = this.model.certificate(node.key);
        if (!record) return gone(node.key);
        const followed = this.model.isFollowed(record);
        return certificateItem(node, record, this.model.validity(record), followed);
      }
    }
  }

  resolveTreeItem(item: TreeItem, node: CertificateNode): TreeItem {
    const request = node.kind === "request" ? this.model.waitingOf(node) : undefined;
    const record = node.kind === "certificate" ? this.model.certificate(node.key) : undefined;
    if (request) item.tooltip = requestTooltip(request);
    if (record) item.tooltip = certificateTooltip(record);
    return item;
  }

  /** For requests and groups alone, which are what is revealed. */
  getParent(node: CertificateNode): CertificateNode | undefined {
    if (node.kind !== "request") return undefined;
    return node.at === undefined ? this.sections.get("waiting") : { kind: "site", at: node.at };
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.emitter.dispose();
  }

  /** Nothing where there is no CA yet and nobody asks: the view says what one is then. */
  private top(): CertificateNode[] {
    const { approvalUntilMs, list, modes, waiting } = this.model;
    if (!list) return [];
    // below the signed ones, which can be many, nobody would see who waits
    const asked = this.model.below.filter((site) => isAsked(site)).map(siteNode);
    const idleSites = this.idleSites();
    const others: CertificateNode[] =
      idleSites.length > MAX_IDLE_SITES ? [{ kind: "sites" }] : idleSites.map(siteNode);
    const sites = [...asked, ...others];
    const idle = waiting.length === 0 && approvalUntilMs === undefined;
    if (list.caState === "none" && idle && !modes.autosign && !modes.originalHttp) return sites;
    const locked: CertificateNode[] =
      list.caState === "locked" ? [{ kind: "mode", mode: "locked" }] : [];
    const rotation: CertificateNode[] = list.rotation ? [{ kind: "mode", mode: "rotation" }] : [];
    const [first, ...rest] = this.sections.values();
    return [...locked, ...rotation, ...(first ? [first] : []), ...asked, ...rest, ...others];
  }

  private idleSites(): SubOverlordList[] {
    return this.model.below.filter((site) => !isAsked(site));
  }

  private rowsOf(section: CertificateSection): CertificateNode[] {
    switch (section) {
      case "waiting":
        return [
          ...this.modeRows(),
          ...this.model.waiting.map(({ name, keyFingerprint }): CertificateNode => {
            return { kind: "request", name, keyFingerprint };
          }),
        ];
      case "signed":
        return this.signedRows();
      case "tokens":
        return this.model.tokens.map(({ id }) => ({ kind: "token", id }));
      case "revoked":
        return this.level("revoked", "");
    }
  }

  private rowsAt(at: string): CertificateNode[] {
    const site = this.model.below.find(({ path }) => path.join("/") === at);
    return (site?.list?.waiting ?? []).map(({ name, keyFingerprint }) => {
      return { kind: "request", name, keyFingerprint, at };
    });
  }

  private modeRows(): CertificateNode[] {
    const rows: CertificateNode[] = [];
    if (this.model.approvalUntilMs !== undefined) rows.push({ kind: "mode", mode: "approval" });
    if (this.model.modes.autosign) rows.push({ kind: "mode", mode: "autosign" });
    if (this.model.modes.originalHttp) rows.push({ kind: "mode", mode: "original" });
    return rows;
  }

  private signedRows(): CertificateNode[] {
    const records = this.model.signed();
    if (records.length <= MAX_SIBLINGS) return records.map(rowOf);
    const urgent = URGENT.map((list): CertificateNode => {
      return { kind: "folder", list, prefix: "", count: this.model.inList(list).length };
    });
    return [
      ...urgent.filter((node) => node.kind === "folder" && node.count > 0),
      ...this.level("valid", ""),
    ];
  }

  /** The rows of a list below a prefix, in folders by name where they are many. */
  private level(list: CertificateList, prefix: string): CertificateNode[] {
    const records = this.model.inList(list).filter(({ name }) => name.startsWith(prefix));
    if (records.length <= MAX_SIBLINGS) return records.map(rowOf);
    const byName = new Map<string, CertificateRecord[]>();
    for (const record of records) {
      const same = byName.get(record.name);
      if (same) same.push(record);
      else byName.set(record.name, [record]);
    }
    return minionNodes([...byName.keys()].sort(), prefix).flatMap((found): CertificateNode[] => {
      if (found.kind === "minion") return (byName.get(found.name) ?? []).map(rowOf);
      const count = found.names.reduce((sum, name) => sum + (byName.get(name)?.length ?? 0), 0);
      return [{ kind: "folder", list, prefix: found.prefix, count }];
    });
  }

  private section(node: SectionNode): TreeItem {
    switch (node.section) {
      case "waiting": {
        const rows = this.model.waiting.length + this.modeRows().length > 0;
        return sectionItem(node, this.model.waiting.length, { rows });
      }
      case "signed": {
        const urgent = this.model.inList("expired").length + this.model.inList("soon").length;
        const note = urgent > 0 ? l10n.t("{0} need attention", urgent) : undefined;
        return sectionItem(node, this.model.signed().length, { note });
      }
      case "tokens":
        return sectionItem(node, this.model.tokens.length);
      case "revoked":
        return sectionItem(node, this.model.revoked().length);
    }
  }

  private modeText(mode: CertificateMode): string {
    const { approvalUntilMs, list, modes } = this.model;
    switch (mode) {
      case "locked":
        return l10n.t("nothing can be signed until its passphrase is given");
      case "rotation":
        return list?.rotation ? rotationText(list.rotation) : "";
      case "approval":
        return approvalUntilMs === undefined ? "" : untilText(approvalUntilMs);
      case "autosign": {
        const { names = [], networks = [] } = modes.autosign ?? {};
        return l10n.t("{0} from {1}", names.join(", "), networks.join(", "));
      }
      case "original": {
        const { at = "", givesUp = "", problem } = modes.originalHttp ?? {};
        return `${at}: ${problem ?? givesUp}`;
      }
    }
  }
}

/** Whether hosts wait at a sub-overlord. */
function isAsked({ list }: SubOverlordList): boolean {
  return (list?.waiting.length ?? 0) > 0;
}

function siteNode({ path }: SubOverlordList): CertificateNode {
  return { kind: "site", at: path.join("/") };
}

function rowOf(record: CertificateRecord): CertificateNode {
  return { kind: "certificate", key: certificateKey(record) };
}

/** The row of what has gone since the tree was asked for it. */
function gone(name: string): TreeItem {
  return new TreeItem(name);
}
