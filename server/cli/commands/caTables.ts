import { utcTime } from "../../common/utcTime";
import type { CertificateRecord, TokenRecord, WaitingRequest } from "../../protocol/certmaster";
import { renderTable } from "../render";

/** A line for each request that waits. */
export function waitingLines(waiting: readonly WaitingRequest[]): string {
  return renderTable(
    waiting.map(({ name, words, from, sinceMs, replaces, unprotected }) => [
      name,
      words,
      `from ${from}`,
      `since ${utcTime(sinceMs)}`,
      [replaces && "replaces another key", unprotected && "over plain HTTP"]
        .filter(Boolean)
        .join(", "),
    ]),
  );
}

/** A line for each certificate, in the order of their issue: until when it runs, or since when it is revoked. */
export function certificateLines(certificates: readonly CertificateRecord[]): string {
  const now = Date.now();
  const newest = new Map(certificates.map(({ role, name, serial }) => [`${role} ${name}`, serial]));
  return renderTable(
    certificates.map(({ name, serial, notAfterMs, revoked, cnOnly, renewalFailed, ...record }) => {
      const role = cnOnly ? `${record.role} (common name only)` : record.role;
      const until = `${notAfterMs > now ? "until" : "expired"} ${utcTime(notAfterMs)}`;
      const isNewest = newest.get(`${record.role} ${name}`) === serial;
      const failed =
        renewalFailed &&
        `not renewed since ${utcTime(renewalFailed.sinceMs)}: ${renewalFailed.problem}`;
      if (!revoked)
        return [name, role, until, serial, isNewest ? (failed ?? "") : "has a newer one"];
      const reason = revoked.reason === "" ? "" : ` (${revoked.reason})`;
      return [name, role, `revoked ${utcTime(revoked.atMs)}${reason}`, serial];
    }),
  );
}

/** A line for each open token. */
export function tokenLines(tokens: readonly TokenRecord[]): string {
  return renderTable(
    tokens.map(({ id, nameGlob, expiresAtMs }) => [
      `token ${id}`,
      `for ${nameGlob ?? "any name"}`,
      `until ${utcTime(expiresAtMs)}`,
    ]),
  );
}
