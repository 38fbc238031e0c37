import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { FuncError, messageOf } from "../../common/errors";

const generate = promisify(generateKeyPair);
const OPEN_TO_OTHERS = 0o077;

/** A new EC P-256 key; the private one as PKCS #8 PEM, not encrypted: keep it in a file of mode 0600. */
export async function generateKey(): Promise<{ privateKeyPem: string; publicKey: KeyObject }> {
  const { privateKey, publicKey } = await generate("ec", { namedCurve: "P-256" });
  return {
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey,
  };
}

/**
 * The text of a file that has to do with keys; undefined where there is none. Throws FuncError "bad-data" with
 * `remedy` where it is no file, or cannot be read.
 */
export async function readPkiFile(file: string, remedy: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) throw new Error("it is not a file");
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}.`, remedy, {
      cause: error,
    });
  }
}

/**
 * As `readPkiFile`, of a private key. Throws FuncError "bad-data" also where others than this user (and root) can read
 * or change it: it may have been copied, and whoever runs this has to know.
 */
export async function readKeyFile(file: string, remedy: string): Promise<string | undefined> {
  const text = await readPkiFile(file, remedy);
  if (text === undefined || process.platform === "win32") return text;
  const { mode, uid } = await stat(file);
  const own = process.getuid?.();
  if (own !== undefined && uid !== own && uid !== 0) {
    throw new FuncError(
      "bad-data",
      `${file}, a private key, belongs to another user (uid ${uid}; this is uid ${own}).`,
      `Run this as that user, or take it over: chown ${own} ${file}. If that user must not have it, replace the key.`,
    );
  }
  if ((mode & OPEN_TO_OTHERS) === 0) return text;
  throw new FuncError(
    "bad-data",
    `${file}, a private key, is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, "0")}).`,
    `Close it: chmod 600 ${file}. If somebody may have copied it, replace the key.`,
  );
}

/** The private key in a PEM text. Throws Error where it is damaged. */
export function workingKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  // a damaged one can still be read, with a public half that does not belong to it
  const probe = Buffer.from("probe");
  if (!verify("sha256", probe, createPublicKey(key), sign("sha256", probe, key))) {
    throw new Error("its two halves do not belong together");
  }
  return key;
}
