import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as v from "valibot";
import { FuncError, messageOf } from "../../common/errors";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** What a data directory without its outputs never comes near. */
export const MAX_BACKUP_BYTES = 512 * 1024 * 1024;
const MAX_HEADER_BYTES = 4_096;
const TAG_BYTES = 16;
const HASH_BYTES = 32;
const KEY_BYTES = 32;
/** 128 MB and a third of a second for each guess. */
const COST = { N: 131_072, r: 8, p: 1 } as const;

const text = v.pipe(v.string(), v.maxLength(200));
const Header = v.object({
  format: v.literal("func-overlord-backup"),
  version: v.literal(1),
  createdAtMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8_640_000_000_000_000)),
  host: text,
  caFingerprint: v.optional(text),
  moved: v.optional(v.boolean()),
  encryption: v.nullable(
    v.object({
      cipher: v.literal("aes-256-gcm"),
      iv: text,
      kdf: v.literal("scrypt"),
      salt: text,
      N: v.literal(COST.N),
      r: v.literal(COST.r),
      p: v.literal(COST.p),
    }),
  ),
});
const Files = v.array(
  v.object({
    path: v.pipe(v.string(), v.maxLength(1_000)),
    base64: v.string(),
    executable: v.optional(v.boolean()),
  }),
);

/** A file of a backup; `path` is relative, its parts separated by "/". */
export interface BackedUpFile {
  path: string;
  content: Buffer;
  /** A trigger is. */
  executable?: boolean;
}

/** What anybody who has the file may know. */
export interface BackupFacts {
  createdAtMs: number;
  /** The machine it was made on. */
  host: string;
  /** hex SHA-256 of the CA's certificate. */
  caFingerprint?: string;
  /** The overlord that it was made of starts no more. */
  moved?: boolean;
}

/**
 * A backup: a line of JSON that says how it is to be read, then the files as gzipped JSON, encrypted with
 * AES-256-GCM under a key that scrypt makes from the passphrase (the line is authenticated as well), or, without a
 * passphrase, followed by its SHA-256. Throws FuncError "too-large" beyond 512 MiB.
 */
export async function packBackup(
  facts: BackupFacts,
  files: readonly BackedUpFile[],
  passphrase: string | undefined,
): Promise<Buffer> {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > MAX_BACKUP_BYTES / 2) {
    throw new FuncError("too-large", `A backup of ${bytes} bytes is more than can be packed.`);
  }
  const listed = files.map(({ content, ...file }) => ({
    ...file,
    base64: content.toString("base64"),
  }));
  const packed = await compress(JSON.stringify(listed));
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const encryption =
    passphrase === undefined
      ? null
      : {
          cipher: "aes-256-gcm",
          iv: iv.toString("base64"),
          kdf: "scrypt",
          salt: salt.toString("base64"),
          ...COST,
        };
  const header = Buffer.from(
    `${JSON.stringify({ format: "func-overlord-backup", version: 1, ...facts, encryption })}\n`,
  );
  if (passphrase === undefined) return Buffer.concat([header, packed, digest(header, packed)]);
  const cipher = createCipheriv("aes-256-gcm", await keyOf(passphrase, salt), iv);
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(packed), cipher.final(), cipher.getAuthTag()]);
}

/** What the backup tells without its passphrase. Throws FuncError "bad-data". */
export function backupFacts(backup: Buffer): BackupFacts & { encrypted: boolean } {
  const { encryption, ...facts } = headerOf(backup).header;
  return { ...facts, encrypted: encryption !== null };
}

/**
 * The files of a backup. Throws FuncError "bad-data" where it is damaged, "denied" where the passphrase is not the right one.
 */
export async function unpackBackup(
  backup: Buffer,
  passphrase: string | undefined,
): Promise<BackedUpFile[]> {
  const { header, line } = headerOf(backup);
  const { encryption } = header;
  const body = backup.subarray(line.length);
  let packed: Buffer;
  if (encryption === null) {
    packed = body.subarray(0, Math.max(0, body.length - HASH_BYTES));
    const sum = body.subarray(packed.length);
    if (sum.length !== HASH_BYTES || !timingSafeEqual(sum, digest(line, packed))) {
      throw damaged("its checksum is wrong");
    }
  } else {
    if (passphrase === undefined) throw new FuncError("denied", "The backup needs its passphrase.");
    if (body.length < TAG_BYTES) throw damaged("it is cut off");
    const key = await keyOf(passphrase, Buffer.from(encryption.salt, "base64"));
    packed = decrypt(line, body, key, encryption.iv);
  }
  return filesOf(packed);
}

function decrypt(line: Buffer, body: Buffer, key: Buffer, iv: string): Buffer {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"));
    decipher.setAAD(line);
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    const content = body.subarray(0, body.length - TAG_BYTES);
    return Buffer.concat([decipher.update(content), decipher.final()]);
  } catch {
    throw new FuncError(
      "denied",
      "The passphrase is not the backup's, or the backup is damaged.",
      "Try again; where the passphrase is the right one, take another backup.",
    );
  }
}

async function filesOf(packed: Buffer): Promise<BackedUpFile[]> {
  try {
    const json = await decompress(packed, { maxOutputLength: MAX_BACKUP_BYTES });
    const files = v.parse(Files, JSON.parse(json.toString("utf8")));
    return files.map(({ base64, ...file }) => ({
      ...file,
      content: Buffer.from(base64, "base64"),
    }));
  } catch (error) {
    throw damaged(messageOf(error));
  }
}

function headerOf(backup: Buffer): { header: v.InferOutput<typeof Header>; line: Buffer } {
  const end = backup.subarray(0, MAX_HEADER_BYTES).indexOf("\n");
  if (end < 0) throw damaged("it is no backup of an overlord");
  const line = backup.subarray(0, end + 1);
  if (!line.includes('"func-overlord-backup"')) throw damaged("it is no backup of an overlord");
  try {
    return { header: v.parse(Header, JSON.parse(line.toString("utf8"))), line };
  } catch (error) {
    throw damaged(messageOf(error));
  }
}

function digest(line: Buffer, packed: Buffer): Buffer {
  return createHash("sha256").update(line).update(packed).digest();
}

function keyOf(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const maxmem = 256 * COST.N * COST.r;
    scrypt(passphrase.normalize("NFC"), salt, KEY_BYTES, { ...COST, maxmem }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

function damaged(what: string): FuncError {
  return new FuncError("bad-data", `The backup cannot be used: ${what}.`, "Take another backup.");
}
