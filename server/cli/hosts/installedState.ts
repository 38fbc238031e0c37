import { X509Certificate, type KeyObject } from "node:crypto";
import { FuncError } from "../../common/errors";
import { keyFingerprint } from "../../pki/certificates/identity";
import type { CertificateRecord } from "../../protocol/certmaster";
import { all, first, type Report } from "./remoteShell";

/** Whose certificate a host shows. That it has the key as well is another matter: certificates are no secret. */
export interface Enrolled {
  name: string;
  keyFingerprint: string;
  publicKey: KeyObject;
  notAfterMs: number;
}

/** What is in a minion's home on a host, before anything is changed there. */
export interface InstalledState {
  /** Where there is a certificate of this overlord's CA. */
  enrolled?: Enrolled;
  /** That certificate, or the key in it, was revoked: it is of no more use. */
  revoked: boolean;
  /** SHA-256 of the program, where one is there. */
  program?: string;
  /** A funcd that did not come by `func add-host` serves this home. */
  servedByOther: boolean;
  /** One of ours serves it at this moment. */
  running: boolean;
  unit: "none" | "ours" | "other";
  listenPort?: number;
}

/** What a funcd, its overlord and its administrator put into a home. */
const KNOWN_ENTRY =
  /^(?:\.?(?:minion\.yaml|join-token|lock|audit|funcd\.log|calls)|(?:pki|jobs|reserve|modules|acls?|program|lost\+found)$|.*\.acl$)/;

/**
 * Judges what is there. Throws FuncError "conflict" for a folder that holds other things, and for the minion of
 * another overlord.
 */
export function readInstalled(
  report: Report,
  at: { host: string; home: string },
  ours: readonly CertificateRecord[],
): InstalledState {
  const foreign = (report.get("entry") ?? []).find((entry) => !KNOWN_ENTRY.test(entry));
  if (foreign !== undefined) {
    throw new FuncError(
      "conflict",
      `${at.home} on ${at.host} holds other things (${JSON.stringify(foreign.slice(0, 100))}).`,
      "Give funcd a folder of its own with --remote-home.",
    );
  }
  const status = readStatus(first(report, "status"));
  const program = first(report, "program");
  const unit = first(report, "unit");
  const state: InstalledState = {
    revoked: false,
    ...(program !== undefined && { program }),
    servedByOther: report.has("otherpid"),
    running: status.pid !== undefined,
    unit: unit === "ours" || unit === "other" ? unit : "none",
    ...(status.port !== undefined && { listenPort: status.port }),
  };
  const certificate = readCertificate(all(report, "certificate"));
  if (certificate === undefined) return state;
  const { publicKey } = certificate;
  const fingerprint = keyFingerprint(publicKey);
  // by its key alone, which can be proven: whatever else the certificate says may be made up
  const record = ours.findLast(
    (one) => one.role === "minion" && one.keyFingerprint === fingerprint,
  );
  if (!record) throw belongsToOther(at, certificate);
  const { name } = record;
  const notAfterMs = Math.min(Date.parse(certificate.validTo), record.notAfterMs);
  const enrolled = { name, keyFingerprint: fingerprint, publicKey, notAfterMs };
  return { ...state, enrolled, revoked: record.revoked !== undefined };
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return pem === "" ? undefined : new X509Certificate(pem);
  } catch {
    return undefined; // damaged: the host says so itself when it makes its request
  }
}

function belongsToOther(
  { host, home }: { host: string; home: string },
  certificate: X509Certificate,
): FuncError {
  const issuer = certificate.issuer.replaceAll("\n", ", ").slice(0, 200);
  return new FuncError(
    "conflict",
    `${host} has a minion of another overlord already, in ${home} (its certificate is from ${issuer}).`,
    `Remove it there first, or give this one a folder and a port of its own: --remote-home DIR --port N.`,
  );
}

/** The answer of "funcd status --json". */
function readStatus(text: string | undefined): { pid?: number; port?: number } {
  try {
    const status: unknown = JSON.parse(text ?? "{}");
    if (typeof status !== "object" || status === null) return {};
    const { pid, listen } = status as { pid?: unknown; listen?: unknown };
    const port = typeof listen === "string" ? Number(/:(\d{1,5})$/.exec(listen)?.[1]) : NaN;
    return {
      ...(typeof pid === "number" && { pid }),
      ...(Number.isInteger(port) && port > 0 && { port }),
    };
  } catch {
    return {};
  }
}
