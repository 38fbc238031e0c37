import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import type { MinionRecord } from "../protocol/minions";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A certificate that ends within this should have been renewed long ago. */
const WARN_MS = 14 * DAY_MS;
/** The CA's own end takes a rotation, which takes every minion to be there once. */
const WARN_CA_MS = 180 * DAY_MS;
const MAX_SHOWN = 5;

/** What ends soon, or has ended, and what to do about it; a sentence or two for each. */
export function expiryWarnings(
  authority: CertificateAuthority | undefined,
  minions: readonly MinionRecord[],
): string[] {
  if (!authority) return [];
  const now = Date.now();
  const { isLocked } = authority.lock;
  const unlock = isLocked ? " The CA is locked, so none can be renewed: func ca unlock." : "";
  const warnings: string[] = [];
  if (authority.notAfterMs - now < WARN_CA_MS) {
    warnings.push(
      `The CA itself ${endOf(authority.notAfterMs, now)}; after that no certificate of it is good. Replace it: func ca rotate.`,
    );
  }
  const soon = minions.filter(({ certificateNotAfterMs: endMs }) => endMs - now < WARN_MS);
  for (const { name, certificateNotAfterMs } of soon
    .filter(({ cnOnly }) => cnOnly)
    .slice(0, MAX_SHOWN)) {
    warnings.push(
      `The certificate of ${name}, one of the original, ${endOf(certificateNotAfterMs, now)}: it is not renewed (func add-host makes it a minion of this version).`,
    );
  }
  const ending = soon
    .filter(({ cnOnly }) => !cnOnly)
    .sort((a, b) => a.certificateNotAfterMs - b.certificateNotAfterMs);
  const [first] = ending;
  if (first) {
    const more = ending.length - MAX_SHOWN;
    const names = ending.slice(0, MAX_SHOWN).map(({ name }) => name);
    warnings.push(
      `The ${ending.length === 1 ? "certificate of 1 minion has" : `certificates of ${ending.length} minions have`} not been renewed (${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}): the first one ${endOf(first.certificateNotAfterMs, now)}.${unlock || " A minion that can be reached is renewed by itself; or now: func ca renew."}`,
    );
  }
  for (const record of newestOperators(authority)) {
    if (record.notAfterMs - now >= WARN_MS || record.notAfterMs < now) continue;
    warnings.push(
      `The certificate of operator ${record.name} ${endOf(record.notAfterMs, now)}: it is not renewed by itself (func ca operator).`,
    );
  }
  const own = authority.list().findLast(({ role }) => role === "overlord");
  if (isLocked && own && own.notAfterMs - now < WARN_MS) {
    warnings.push(
      `The overlord's own certificate ${endOf(own.notAfterMs, now)}: without one nothing can be called.${unlock}`,
    );
  }
  return warnings;
}

function newestOperators(authority: CertificateAuthority) {
  const newest = new Map(
    authority
      .list()
      .filter(({ role, revoked }) => role === "operator" && revoked === undefined)
      .map((record) => [record.name, record]),
  );
  return [...newest.values()];
}

function endOf(notAfterMs: number, now: number): string {
  const date = new Date(notAfterMs).toISOString().slice(0, 10);
  return notAfterMs <= now ? `ended on ${date}` : `ends on ${date}`;
}
