import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { KEPT_FOR_MS, type RevokedCertificate } from "../documents/revocationList";

/** A line of `revoked.json`. */
export interface RevokedRecord extends RevokedCertificate {
  notAfterMs: number;
  /** As the operator gave it, or "". */
  reason: string;
}

/** What `revoked.json` holds. */
export interface Revocations {
  /** Higher with every revocation; 0 before the first. */
  number: number;
  revoked: RevokedRecord[];
  /** The list as it was signed when this was written, for when the CA's key is locked; absent where it was then. */
  signed?: string;
}

export type SignList = (list: Revocations) => string | undefined;

export const NO_REVOCATIONS: Revocations = { number: 0, revoked: [] };

const moment = v.pipe(v.number(), v.integer());
const Revoked = v.object({
  version: v.literal(1),
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  sha256: v.string(),
  signed: v.optional(v.string()),
  revoked: v.array(
    v.object({
      serial: v.pipe(v.string(), v.regex(/^[0-9A-F]{1,64}$/)),
      keyFingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      role: v.picklist(["minion", "overlord", "operator"]),
      name: v.pipe(v.string(), v.maxLength(253)),
      atMs: moment,
      notAfterMs: moment,
      reason: v.pipe(v.string(), v.maxLength(500)),
    }),
  ),
});

export function revokedPath(caFolder: string): string {
  return join(caFolder, "revoked.json");
}

/** Reads `revoked.json`. Undefined where there is none; throws FuncError "bad-data" where it is damaged. */
export async function readRevoked(file: string): Promise<Revocations | undefined> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(file, "cannot be read", error);
  }
  try {
    const { sha256, ...revocations } = v.parse(Revoked, JSON.parse(content));
    if (digestOf(revocations) !== sha256) throw new Error("its checksum is wrong");
    return revocations;
  } catch (error) {
    throw unusable(file, "is damaged", error);
  }
}

/** For a file that must be there and is not. */
export function revokedMissing(file: string): FuncError {
  return unusable(file, "is missing", new Error("certificates of this CA were revoked"));
}

/**
 * Replaces it as a whole; durable when it returns. Leaves out what was revoked long ago. `sign`: gives the signed list,
 * if there is a key to sign with.
 */
export async function writeRevoked(
  file: string,
  number: number,
  revoked: readonly RevokedRecord[],
  sign: SignList,
): Promise<Revocations> {
  const oldest = Date.now() - KEPT_FOR_MS;
  const list = { number, revoked: revoked.filter(({ atMs }) => atMs >= oldest) };
  const signed = sign(list);
  const kept = signed === undefined ? list : { ...list, signed };
  const lines = kept.revoked.map((record) => JSON.stringify(record)).join(",\n");
  const head = `{"version":1,"number":${number},"sha256":"${digestOf(kept)}"`;
  const tail = signed === undefined ? "" : `,"signed":${JSON.stringify(signed)}`;
  await writeFileAtomic(file, `${head},"revoked":[\n${lines}\n]${tail}}\n`);
  return kept;
}

/** So that a flipped bit is noticed: whoever could forge this could sign with the key beside it. */
function digestOf({ number, revoked, signed }: Revocations): string {
  const rows = revoked.map(
    ({ serial, keyFingerprint, role, name, atMs, notAfterMs, reason }) =>
      [serial, keyFingerprint, role, name, atMs, notAfterMs, reason] as const,
  );
  return hash("sha256", JSON.stringify([number, rows, signed ?? ""]), "hex");
}

function unusable(file: string, what: string, cause: unknown): FuncError {
  return new FuncError(
    "bad-data",
    `${file}, the list of revoked certificates, ${what}: ${messageOf(cause)}.`,
    "Restore it from the newest backup: without it revoked certificates would be good again.",
    { cause },
  );
}
