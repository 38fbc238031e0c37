import { createPrivateKey } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import {
  MAX_SUCCESSIONS,
  readSuccessions,
  signSuccession,
  successionsTo,
} from "../pki/documents/keySuccession";
import type { KeySuccession } from "../protocol/delegation";

/** The former keys of this minion, each with its word for the next one. */
const SUCCESSION_FILE = "succession.json";
const MAX_BYTES = 64 * 1024;

/**
 * The successions that lead to the key (PEM), oldest first. Those that a renewal noted that came to nothing are left
 * out. A damaged file is none, and is logged.
 */
export async function readKeySuccessions(
  pkiFolder: string,
  key: string,
  log: Log,
): Promise<KeySuccession[]> {
  const file = join(pkiFolder, SUCCESSION_FILE);
  try {
    const found = await stat(file);
    if (!found.isFile() || found.size > MAX_BYTES) throw new Error("it is not such a file");
    const successions = readSuccessions(JSON.parse(await readFile(file, "utf8")));
    return successionsTo(createPrivateKey(key), successions);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    log.warn(
      "the former keys of this minion cannot be read: delegation maps have to be built again",
      {
        file,
        problem: messageOf(error),
      },
    );
    return [];
  }
}

/**
 * Has the present key (PEM) name `next` as its successor, and keeps that; to be done before the certificate for `next`
 * is installed. Answers the last `MAX_SUCCESSIONS`. Never throws: a renewal must not fail by it.
 */
export async function keepKeySuccession(
  pkiFolder: string,
  present: { key: string; successions?: readonly KeySuccession[] },
  next: string,
  log: Log,
): Promise<KeySuccession[]> {
  const one = signSuccession(createPrivateKey(present.key), createPrivateKey(next));
  const successions = [...(present.successions ?? []), one].slice(-MAX_SUCCESSIONS);
  const file = join(pkiFolder, SUCCESSION_FILE);
  try {
    await writeFileAtomic(file, `${JSON.stringify(successions)}\n`, 0o600);
  } catch (error) {
    log.warn("the former keys of this minion cannot be kept", { file, problem: messageOf(error) });
  }
  return successions;
}
