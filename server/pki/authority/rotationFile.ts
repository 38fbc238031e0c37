import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomicFile";
import { checksumOf } from "../../common/checksum";
import { FuncError, messageOf } from "../../common/errors";

/**
 * "telling": minions are told to trust the new CA too. "renewing": it issues certificates. "finishing": it has
 * taken the place of the old one, whose files go.
 */
export type RotationPhase = "telling" | "renewing" | "finishing";

/** What `rotation.json` holds; there is none before the first rotation. */
export interface RotationState {
  /** Absent while no CA is being replaced. */
  phase?: RotationPhase;
  /** The overlord itself shows a certificate of the new CA, since every minion was told. */
  own?: true;
  /** Every minion has the document, after the rotation. */
  spread?: true;
  /** Of the document: higher with each. */
  number: number;
  /** Which CAs minions are to trust; see `signAuthorities`. */
  document: string;
}

const Rotation = v.object({
  version: v.literal(1),
  sha256: v.string(),
  phase: v.optional(v.picklist(["telling", "renewing", "finishing"])),
  own: v.optional(v.literal(true)),
  spread: v.optional(v.literal(true)),
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  document: v.pipe(v.string(), v.maxLength(1_000_000)),
});

/** The new CA's key and certificate, until it has taken the place of the old one. */
export function nextFolder(caFolder: string): string {
  return join(caFolder, "next");
}

export function rotationPath(caFolder: string): string {
  return join(caFolder, "rotation.json");
}

/** Undefined where there is none. Throws FuncError "bad-data" where it is damaged. */
export async function readRotation(caFolder: string): Promise<RotationState | undefined> {
  const file = rotationPath(caFolder);
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw rotationUnusable(caFolder, `cannot be read: ${messageOf(error)}`);
  }
  try {
    const { version: _version, sha256, ...state } = v.parse(Rotation, JSON.parse(content));
    if (sha256 !== digestOf(state)) throw new Error("its checksum is wrong");
    return state;
  } catch (error) {
    throw rotationUnusable(caFolder, `is damaged: ${messageOf(error)}`);
  }
}

/** Replaces it as a whole; durable when it returns. */
export async function writeRotation(caFolder: string, state: RotationState): Promise<void> {
  const content = { version: 1, sha256: digestOf(state), ...state };
  await writeFileAtomic(rotationPath(caFolder), `${JSON.stringify(content)}\n`);
}

export function rotationUnusable(caFolder: string, what: string): FuncError {
  return new FuncError(
    "bad-data",
    `${rotationPath(caFolder)}, the state of the CA's replacement, ${what}.`,
    "Restore the folder ca from the newest backup: without it the two CAs cannot be told apart.",
  );
}

function digestOf({ phase, own, spread, number, document }: RotationState): string {
  return checksumOf([phase ?? "", own ?? false, spread ?? false, number, document]);
}
