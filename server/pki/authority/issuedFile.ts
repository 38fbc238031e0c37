import { readFile, stat } from "node:fs/promises";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomicFile";
import { checksumOf, checksumOfLines } from "../../common/checksum";
import { FuncError, messageOf } from "../../common/errors";
import type { CertificateRecord } from "../../protocol/certmaster";

/** How long an expired certificate stays in the list, so that its end can still be looked up. */
const KEEP_EXPIRED_MS = 90 * 24 * 60 * 60 * 1000;

const text = v.pipe(v.string(), v.maxLength(300));
const moment = v.pipe(v.number(), v.integer());
const Issued = v.object({
  version: v.literal(1),
  /** Files of before had none. */
  sha256: v.optional(v.string()),
  certificates: v.pipe(
    v.array(
      v.object({
        name: text,
        role: v.picklist(["minion", "overlord", "operator"]),
        serial: text,
        keyFingerprint: text,
        notBeforeMs: moment,
        notAfterMs: moment,
        released: v.optional(v.literal(true)),
        issuer: v.optional(text),
        cnOnly: v.optional(v.literal(true)),
        revoked: v.optional(v.object({ atMs: moment, reason: v.string() })),
      }),
    ),
    v.maxLength(1_000_000),
  ),
});

const Listed = v.object({ certificates: v.array(v.unknown()) });

const REMEDY = "Restore the file from a backup: without it names could be given out twice.";

/** A line of `issued.json`. `released`: the name may be given out again although the certificate still runs. */
export interface IssuedCertificate extends CertificateRecord {
  released?: true;
  /** hex SHA-256 of the CA's certificate, where it was not the first one's. */
  issuer?: string;
}

/** Reads `issued.json`. Undefined where there is none; throws FuncError "bad-data" where it is damaged. */
export async function readIssued(file: string): Promise<IssuedCertificate[] | undefined> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}.`, REMEDY);
  }
  try {
    const json: unknown = JSON.parse(content);
    const { sha256, certificates } = v.parse(Issued, json);
    if (sha256 !== undefined && sha256 !== checksumOf(v.parse(Listed, json).certificates)) {
      throw new Error("its checksum is wrong.");
    }
    return certificates;
  } catch (error) {
    throw new FuncError(
      "bad-data",
      `${file}, the list of certificates issued, is damaged: ${messageOf(error)}`,
      REMEDY,
      { cause: error },
    );
  }
}

/** The content of `issued.json`, a line for each certificate; leaves out what expired long ago. */
export function formatIssued(certificates: IssuedCertificate[]): string {
  const oldest = Date.now() - KEEP_EXPIRED_MS;
  const lines = certificates
    .filter((certificate) => certificate.notAfterMs >= oldest)
    .map((certificate) => JSON.stringify(certificate));
  const sha256 = checksumOfLines(lines);
  return `{"version":1,"sha256":"${sha256}","certificates":[\n${lines.join(",\n")}\n]}\n`;
}

/** `issued.json` as one object sees it; reads it again only where somebody else replaced it. */
export class IssuedFile {
  private seen: string | undefined;

  constructor(readonly path: string) {}

  /** Its content; undefined where it is as this object wrote it, or gone. */
  async readIfChanged(): Promise<IssuedCertificate[] | undefined> {
    const state = await this.state();
    return state === undefined || state === this.seen ? undefined : await readIssued(this.path);
  }

  /** Replaces it as a whole. */
  async write(certificates: IssuedCertificate[]): Promise<void> {
    await writeFileAtomic(this.path, formatIssued(certificates));
    this.seen = await this.state();
  }

  private async state(): Promise<string | undefined> {
    try {
      const { ino, size, mtimeNs } = await stat(this.path, { bigint: true });
      return `${ino}:${size}:${mtimeNs}`;
    } catch {
      return undefined; // reading or writing will say what is wrong
    }
  }
}
