import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { checksumOf } from "../common/checksum";
import { FuncError, messageOf } from "../common/errors";
import { isMinionName } from "../common/minionName";
import type { MinionRecord, RenewedCertificate } from "../protocol/minions";

const VERSION = 1;
const REMEDY =
  'Restore it from a backup; or, if you changed it by hand, take the line "sha256" out; or move it away and enrol the minions again.';

/** What is kept of a record: its state belongs to the running overlord. */
type StoredMinion = Omit<MinionRecord, "state" | "problem">;

/** Reads `<data>/inventory.json`; empty where it is missing. Throws FuncError "bad-data" where it is damaged. */
export async function readInventory(file: string): Promise<MinionRecord[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}`, REMEDY);
  }
  try {
    const content = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    if (content?.["version"] === VERSION && Array.isArray(content["minions"])) {
      const minions: unknown[] = content["minions"];
      const { sha256 = checksumOf(minions) } = content; // files of before have none
      if (sha256 === checksumOf(minions) && minions.every(isStored))
        return minions.map((minion) => ({ ...minion, state: "unknown" }));
    }
  } catch {
    // reported like any other damage
  }
  throw new FuncError(
    "bad-data",
    `${file} is damaged: it does not hold a list of minions with its checksum.`,
    REMEDY,
  );
}

export async function writeInventory(file: string, records: Iterable<MinionRecord>): Promise<void> {
  const minions = [...records].map(
    ({ state: _state, problem: _problem, ...stored }): StoredMinion => stored,
  );
  const content = { version: VERSION, sha256: checksumOf(minions), minions };
  await writeFileAtomic(file, `${JSON.stringify(content, null, 1)}\n`, 0o600);
}

function isStored(value: unknown): value is StoredMinion {
  if (typeof value !== "object" || value === null) return false;
  const minion = value as Partial<Record<keyof StoredMinion, unknown>>;
  return (
    typeof minion.name === "string" &&
    isMinionName(minion.name) &&
    typeof minion.address === "string" &&
    typeof minion.port === "number" &&
    typeof minion.enrolledAtMs === "number" &&
    typeof minion.keyFingerprint === "string" &&
    typeof minion.certificateSerial === "string" &&
    typeof minion.certificateNotAfterMs === "number" &&
    (minion.lastSeenMs === undefined || typeof minion.lastSeenMs === "number") &&
    (minion.renewing === undefined || isRenewed(minion.renewing)) &&
    (minion.cnOnly === undefined || minion.cnOnly === true)
  );
}

function isRenewed(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const renewed = value as Partial<Record<keyof RenewedCertificate, unknown>>;
  return (
    typeof renewed.keyFingerprint === "string" &&
    typeof renewed.certificateSerial === "string" &&
    typeof renewed.certificateNotAfterMs === "number"
  );
}
