/** The groups of the view "Certificates". */
export type CertificateSection = "waiting" | "signed" | "tokens" | "revoked";

/** Lists that folders of names are parts of: the signed ones by what is to be done about them, the revoked ones. */
export type CertificateList = "expired" | "soon" | "valid" | "revoked";

/** `original`: the plain HTTP of Func's old minions. */
export type CertificateMode = "locked" | "rotation" | "approval" | "autosign" | "original";

/**
 * One row of the view "Certificates". What it stands for is in its fields alone: commands look it up in
 * the model, and say so where it is gone.
 */
export type CertificateNode =
  | { kind: "section"; section: CertificateSection }
  /** How hosts get certificates at this time, or why they get none. */
  | { kind: "mode"; mode: CertificateMode }
  /** `at`: the sub-overlord that it waits at; this overlord's own without. */
  | { kind: "request"; name: string; keyFingerprint: string; at?: string }
  /** A sub-overlord, by its path ("mid1/mid3"), with what waits there. */
  | { kind: "site"; at: string }
  /** The sub-overlords at which nobody waits, where they are many. */
  | { kind: "sites" }
  | { kind: "token"; id: string }
  | { kind: "certificate"; key: string }
  | { kind: "folder"; list: CertificateList; prefix: string; count: number };

const KINDS: ReadonlySet<unknown> = new Set<CertificateNode["kind"]>([
  "section",
  "mode",
  "request",
  "site",
  "sites",
  "token",
  "certificate",
  "folder",
]);

/** Whether a command was called on a row of this view. */
export function isCertificateNode(value: unknown): value is CertificateNode {
  return typeof value === "object" && value !== null && "kind" in value && KINDS.has(value.kind);
}

/** Differs between any two rows; the same for the same row before and after a change. */
export function certificateNodeKey(node: CertificateNode): string {
  switch (node.kind) {
    case "section":
      return `section/${node.section}`;
    case "mode":
      return `mode/${node.mode}`;
    case "request":
      return `request/${node.name}/${node.keyFingerprint}${node.at === undefined ? "" : `/${node.at}`}`;
    case "site":
      return `site/${node.at}`;
    case "sites":
      return "sites";
    case "token":
      return `token/${node.id}`;
    case "certificate":
      return `certificate/${node.key}`;
    case "folder":
      return `folder/${node.list}/${node.prefix}`;
  }
}
