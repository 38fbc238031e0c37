import { l10n, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from "vscode";
import type { SubOverlordList } from "../../server/client/waitingBelow";
import type {
  CertificateRecord,
  RotationStatus,
  TokenRecord,
  WaitingRequest,
} from "../../server/protocol/certmaster";
import { dateText, timeText } from "../dateText";
import {
  certificateNodeKey,
  type CertificateNode,
  type CertificateSection,
} from "./certificateNode";
import { expiryText, spanText, type Validity } from "./certificateValidity";

type NodeOf<K extends CertificateNode["kind"]> = Extract<CertificateNode, { kind: K }>;

/** A group of the view; without rows it cannot be opened. */
export function sectionItem(
  node: NodeOf<"section">,
  count: number,
  options: { rows?: boolean; note?: string } = {},
): TreeItem {
  const { rows = count > 0, note } = options;
  const opened = node.section === "revoked" ? COLLAPSED : TreeItemCollapsibleState.Expanded;
  const item = new TreeItem(sectionLabel(node.section), rows ? opened : NO_ROWS);
  const counted = count === 0 ? l10n.t("none") : String(count);
  item.description = note === undefined ? counted : `${counted} · ${note}`;
  item.iconPath = new ThemeIcon(SECTION_ICONS[node.section]);
  finish(item, node, `section;${node.section}`);
  // else what comes to stand in an empty group would stay folded, as it was while there was nothing
  if (!rows) item.id = `${certificateNodeKey(node)}/empty`;
  return item;
}

/** A request that waits for approval. */
export function requestItem(node: NodeOf<"request">, request: WaitingRequest): TreeItem {
  const item = new TreeItem(node.name);
  const warnings = [
    request.replaces === undefined ? "" : l10n.t("replaces a live certificate · "),
    request.unprotected ? l10n.t("plain HTTP · ") : "",
  ].join("");
  item.description = l10n.t("{0}from {1} · {2}", warnings, request.from, request.words);
  item.iconPath =
    warnings === ""
      ? new ThemeIcon("question", new ThemeColor("charts.blue"))
      : new ThemeIcon("warning", new ThemeColor("list.warningForeground"));
  return finish(item, node, "request");
}

/** A sub-overlord, with the requests that wait there as its rows. */
export function siteItem(node: NodeOf<"site">, { list, problem }: SubOverlordList): TreeItem {
  const waiting = list?.waiting.length ?? 0;
  const opened = waiting > 0 ? TreeItemCollapsibleState.Expanded : NO_ROWS;
  const item = new TreeItem(l10n.t("Waiting at {0}", node.at), opened);
  const counted = waiting === 0 ? l10n.t("none") : String(waiting);
  item.description = problem === undefined ? counted : l10n.t("could not be asked");
  item.tooltip = problem ?? l10n.t("Requests that wait at the sub-overlord {0}", node.at);
  item.iconPath = new ThemeIcon(problem === undefined ? "type-hierarchy-sub" : "warning");
  finish(item, node, "site");
  if (waiting === 0) item.id = `${certificateNodeKey(node)}/empty`;
  return item;
}

/** Sub-overlords at which nobody waits; `away` of them could not be asked. */
export function sitesItem(node: NodeOf<"sites">, count: number, away: number): TreeItem {
  const item = new TreeItem(l10n.t("Other Sub-Overlords"), COLLAPSED);
  item.description =
    away === 0 ? String(count) : l10n.t("{0} · {1} could not be asked", count, away);
  item.iconPath = new ThemeIcon(away === 0 ? "type-hierarchy-sub" : "warning");
  return finish(item, node, "sites");
}

/** A join token that nobody has used yet. */
export function tokenItem(node: NodeOf<"token">, token: TokenRecord): TreeItem {
  const item = new TreeItem(token.nameGlob ?? l10n.t("Any host"));
  item.description = l10n.t("{0} left", spanText(token.expiresAtMs - Date.now()));
  item.iconPath = new ThemeIcon("key");
  item.tooltip = l10n.t("Join token {0}, until {1}", token.id, dateText(token.expiresAtMs));
  return finish(item, node, "token");
}

/** A certificate; `followed`: a later one of the name has taken its place. */
export function certificateItem(
  node: NodeOf<"certificate">,
  record: CertificateRecord,
  validity: Validity,
  followed: boolean,
): TreeItem {
  const item = new TreeItem(record.name);
  const parts = [
    record.role === "minion" ? undefined : ROLES[record.role].text(),
    followed && !record.revoked ? l10n.t("renewed") : undefined,
    record.revoked ? revokedText(record.revoked) : expiryText(record.notAfterMs),
    isRenewalMissing(record) ? l10n.t("renewal fails") : undefined,
  ];
  item.description = parts.filter((part) => part !== undefined).join(" · ");
  item.iconPath = iconOf(record, validity);
  const state = record.revoked ? "revoked" : "signed";
  finish(item, node, `${state};${record.role}`);
  if (record.role === "minion") {
    // said by the icon to eyes alone
    const label = `${record.name}, ${item.description}, ${ROLES.minion.text()}`;
    item.accessibilityInformation = { label };
  }
  return item;
}

/** Certificates whose names start alike; with no prefix all of the list. */
export function folderItem(node: NodeOf<"folder">): TreeItem {
  const { list, prefix, count } = node;
  const label = prefix === "" ? LIST_LABELS[list]() : `${prefix}…`;
  const item = new TreeItem(label, COLLAPSED);
  item.description = count === 1 ? l10n.t("1 certificate") : l10n.t("{0} certificates", count);
  item.iconPath = prefix === "" ? STATE_ICONS[list]() : new ThemeIcon("folder");
  return finish(item, node, "folder");
}

/** How hosts get certificates now; `text` says until when, or which. */
export function modeItem(node: NodeOf<"mode">, text: string): TreeItem {
  const item = new TreeItem(MODES[node.mode].label());
  item.description = text;
  item.tooltip = text;
  item.iconPath = MODES[node.mode].icon();
  return finish(item, node, `mode;${node.mode}`);
}

/** "minion", "operator", "overlord". */
export function roleText(role: CertificateRecord["role"]): string {
  return ROLES[role].text();
}

/** How far the replacement of the CA is. */
export function rotationText({ told, untold, missing }: RotationStatus): string {
  const total = told + untold.length;
  if (missing.length === 0)
    return l10n.t("all have certificates of the new CA; to finish: func ca rotate --finish");
  return l10n.t(
    "{0} of {1} minions know the new CA, {2} of {1} are certified by it",
    told,
    total,
    total - missing.length,
  );
}

/** "until 14:05". */
export function untilText(ms: number): string {
  return l10n.t("until {0}", timeText(ms));
}

const NO_ROWS = TreeItemCollapsibleState.None;
const COLLAPSED = TreeItemCollapsibleState.Collapsed;

function sectionLabel(section: CertificateSection): string {
  switch (section) {
    case "waiting":
      return l10n.t("Waiting");
    case "signed":
      return l10n.t("Signed");
    case "tokens":
      return l10n.t("Join Tokens");
    case "revoked":
      return l10n.t("Revoked");
  }
}

const SECTION_ICONS: Record<CertificateSection, string> = {
  waiting: "inbox",
  signed: "verified",
  tokens: "key",
  revoked: "circle-slash",
};

const ROLES: Record<CertificateRecord["role"], { icon: string; text: () => string }> = {
  minion: { icon: "vm", text: () => l10n.t("minion") },
  operator: { icon: "person", text: () => l10n.t("operator") },
  overlord: { icon: "radio-tower", text: () => l10n.t("overlord") },
};

const STATE_ICONS = {
  expired: () => new ThemeIcon("error", new ThemeColor("list.errorForeground")),
  soon: () => new ThemeIcon("warning", new ThemeColor("list.warningForeground")),
  valid: () => new ThemeIcon("verified"),
  revoked: () => new ThemeIcon("circle-slash"),
};

const LIST_LABELS = {
  expired: () => l10n.t("Expired"),
  soon: () => l10n.t("Expire Soon"),
  valid: () => l10n.t("Valid"),
  revoked: () => l10n.t("Revoked"),
};

const MODES = {
  locked: {
    label: () => l10n.t("The CA is locked"),
    icon: () => new ThemeIcon("lock", new ThemeColor("list.warningForeground")),
  },
  rotation: {
    label: () => l10n.t("The CA is being replaced"),
    icon: () => new ThemeIcon("sync", new ThemeColor("charts.blue")),
  },
  approval: {
    label: () => l10n.t("Requests are taken"),
    icon: () => new ThemeIcon("broadcast", new ThemeColor("charts.blue")),
  },
  autosign: {
    label: () => l10n.t("Signed without approval"),
    icon: () => new ThemeIcon("warning", new ThemeColor("list.warningForeground")),
  },
  original: {
    label: () => l10n.t("Plain HTTP for old minions"),
    icon: () => new ThemeIcon("unlock", new ThemeColor("list.warningForeground")),
  },
};

function iconOf(record: CertificateRecord, validity: Validity): ThemeIcon {
  if (validity === "valid" && isRenewalMissing(record)) return STATE_ICONS.soon();
  if (record.revoked || validity === "valid") return new ThemeIcon(ROLES[record.role].icon);
  return STATE_ICONS[validity]();
}

function isRenewalMissing({ revoked, renewalFailed }: CertificateRecord): boolean {
  return revoked === undefined && renewalFailed !== undefined;
}

function revokedText({ atMs, reason }: { atMs: number; reason: string }): string {
  const ago = l10n.t("revoked {0} ago", spanText(Math.max(0, Date.now() - atMs)));
  return reason === "" ? ago : `${ago}: ${reason}`;
}

function finish(item: TreeItem, node: CertificateNode, contextValue: string): TreeItem {
  item.id = certificateNodeKey(node);
  item.contextValue = contextValue;
  const name = typeof item.label === "string" ? item.label : "";
  item.accessibilityInformation = { label: `${name}, ${String(item.description)}` };
  return item;
}
