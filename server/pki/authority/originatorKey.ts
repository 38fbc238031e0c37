import { createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { queueOf } from "../../common/serialQueue";
import { keyFingerprint } from "../certificates/identity";
import { generateKey, readKeyFile, workingKey } from "../certificates/keyFiles";

const FILE = "originator.pem";
const SHOWN_DIGITS = 8;

/**
 * The key by which this overlord signs the calls that others pass on, in `<folder>/originator.pem` (EC P-256, mode
 * 0600): another one than that of its certificates, which changes. Made where there is none. Throws FuncError
 * "bad-data" where it is damaged or open to others: a new one in its place would be another originator to all hosts.
 */
export function openOriginatorKey(folder: string): Promise<KeyObject> {
  const file = join(folder, FILE);
  // two that find none at the same time must not make one each
  return queueOf(file).run(() => open(file));
}

/**
 * The name by which hosts remember this key: that of the overlord's machine, and the beginning of the key's
 * fingerprint, since several overlords may run on one machine.
 */
export function originatorName(overlord: string, key: KeyObject): string {
  return `${overlord}-${keyFingerprint(createPublicKey(key)).slice(0, SHOWN_DIGITS)}`;
}

async function open(file: string): Promise<KeyObject> {
  const remedy = `Restore ${file} from a backup. If it is lost, remove it: a new one is made, and hosts behind sub-overlords know this overlord by another name from then on.`;
  const pem = await readKeyFile(file, remedy);
  if (pem === undefined) {
    const { privateKeyPem } = await generateKey();
    await writeFileAtomic(file, privateKeyPem);
    return workingKey(privateKeyPem);
  }
  try {
    const key = workingKey(pem);
    if (key.asymmetricKeyType !== "ec") throw new Error("it is no EC key");
    return key;
  } catch (error) {
    throw new FuncError("bad-data", `${file} is damaged: ${messageOf(error)}.`, remedy);
  }
}
