import { join } from "node:path";
import { FuncError } from "../common/errors";
import { originatorsFile, readOriginators, writeOriginators } from "./originators";

/** What `funcd originator` is asked for. */
export interface OriginatorQuestion {
  json: boolean;
  /** Whom to forget; without it they are listed. */
  forget?: string;
}

/**
 * Answers `funcd originator list` and `forget NAME`, whether the funcd of this home runs or not: that sees the change
 * with the next delegated call. Throws FuncError "not-found", "bad-data".
 */
export async function originatorCommand(
  home: string,
  { json, forget }: OriginatorQuestion,
  write: (text: string) => void,
): Promise<void> {
  const file = originatorsFile(join(home, "pki"));
  const known = readOriginators(file);
  if (forget !== undefined) {
    const kept = known.filter(({ name }) => name !== forget.toLowerCase());
    if (kept.length === known.length) {
      throw new FuncError("not-found", `no originator ${forget} is known in ${home}`);
    }
    await writeOriginators(file, kept);
    write(
      `${forget} is forgotten: the next key that an overlord of this minion tells for it counts.\n`,
    );
    return;
  }
  if (json) {
    write(`${JSON.stringify(known)}\n`);
    return;
  }
  if (known.length === 0) write("No originators are known.\n");
  for (const { name, keyFingerprint, addedAtMs, by } of known) {
    write(`${name}  key ${keyFingerprint}  since ${new Date(addedAtMs).toISOString()} by ${by}\n`);
  }
}
