import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../common/atomicFile";
import { checksumOf } from "../common/checksum";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { isMinionName } from "../common/minionName";
import { SerialQueue } from "../common/serialQueue";
import { keyFingerprint } from "../pki/certificates/identity";
import { publicKeyOf, UNKNOWN_ORIGINATOR } from "../pki/documents/delegatedCall";
import { ACCESS_DENIED, MethodError, VALUE_ERROR } from "./methodError";

/** Overlords of one fleet whose calls others pass on. */
const MAX_ORIGINATORS = 200;

const Originator = v.object({
  name: v.pipe(v.string(), v.check(isMinionName)),
  /** base64 DER (SPKI) */
  publicKey: v.string(),
  /** hex SHA-256 of that. */
  keyFingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  addedAtMs: v.number(),
  /** The overlord that told of it. */
  by: v.string(),
});
const Stored = v.object({
  version: v.literal(1),
  originators: v.array(Originator),
  checksum: v.string(),
});

/** An overlord whose signed calls this minion takes from others. */
export type KnownOriginator = v.InferOutput<typeof Originator>;

/** Tells of a change: an originator that is new, or was forgotten on this host. */
type OriginatorListener = (change: "recorded" | "forgotten", of: KnownOriginator) => void;

/**
 * The keys of the overlords whose signed calls this minion takes from others, in `<home>/pki/originators.json`. A name
 * keeps the key that it came with, until somebody on this host forgets it.
 */
export class Originators {
  readonly #file: string;
  readonly #queue = new SerialQueue();
  readonly #log: Log;
  readonly #listener: OriginatorListener;
  #known: KnownOriginator[] = [];
  #signature = "";
  #damage: string | undefined;

  constructor(pkiFolder: string, log: Log, listener: OriginatorListener = () => undefined) {
    this.#file = originatorsFile(pkiFolder);
    this.#log = log;
    this.#listener = listener;
    this.#look(false);
  }

  /** Fingerprints of all keys that are known here. */
  fingerprints(): string[] {
    this.#look();
    return this.#known.map(({ keyFingerprint: key }) => key);
  }

  /** Throws MethodError where the key is not the one that is recorded for this name: of the type UNKNOWN_ORIGINATOR where none is. */
  check(name: string, fingerprint: string): void {
    const known = this.#find(name);
    if (!known) {
      throw new MethodError(
        UNKNOWN_ORIGINATOR,
        `no key of the overlord ${name} is recorded here: its own overlord has to tell it first (trust.add_originator)`,
      );
    }
    if (known.keyFingerprint !== fingerprint) throw otherKey(known, fingerprint);
  }

  /**
   * Records a key for a name that is new; `by` is the overlord that says so. The same key may come again. Answers its
   * fingerprint. Throws MethodError where another key is recorded for the name, FuncError where it cannot be written.
   */
  add(name: string, publicKey: string, by: string): Promise<string> {
    return this.#queue.run(async () => {
      if (!isMinionName(name)) {
        throw new MethodError(VALUE_ERROR, `${JSON.stringify(name)} is no name of an overlord`);
      }
      const fingerprint = fingerprintOf(publicKey);
      const known = this.#find(name);
      if (known?.keyFingerprint === fingerprint) return fingerprint;
      if (known) throw otherKey(known, fingerprint);
      if (this.#known.length >= MAX_ORIGINATORS) {
        throw new MethodError(
          ACCESS_DENIED,
          `this minion knows ${MAX_ORIGINATORS} originators and takes no more: forget one there (funcd originator forget NAME)`,
        );
      }
      const added = { name, publicKey, keyFingerprint: fingerprint, addedAtMs: Date.now(), by };
      await writeOriginators(this.#file, [...this.#known, added]);
      this.#look(false);
      this.#log.info("an originator is recorded", { name, key: fingerprint, by });
      this.#listener("recorded", added);
      return fingerprint;
    });
  }

  /** Throws MethodError while the file is damaged: who is known cannot be told then. */
  #find(name: string): KnownOriginator | undefined {
    this.#look();
    if (this.#damage !== undefined) {
      throw new MethodError(
        ACCESS_DENIED,
        `the originators recorded on this host cannot be read (${this.#damage}): restore the file, or remove it there to learn them anew`,
      );
    }
    return this.#known.find((one) => one.name === name);
  }

  /** Somebody may have forgotten one on this host meanwhile. */
  #look(tells = true): void {
    const signature = signatureOf(this.#file);
    if (signature === this.#signature) return;
    this.#signature = signature;
    const before = this.#known;
    try {
      this.#known = readOriginators(this.#file);
      this.#damage = undefined;
    } catch (error) {
      this.#known = [];
      this.#damage = messageOf(error);
      this.#log.error("the recorded originators are damaged: no delegated call is taken", {
        file: this.#file,
        problem: this.#damage,
      });
      return;
    }
    if (!tells) return;
    const names = new Set(this.#known.map(({ name }) => name));
    for (const one of before) if (!names.has(one.name)) this.#listener("forgotten", one);
  }
}

/** Where a minion keeps them. */
export function originatorsFile(pkiFolder: string): string {
  return join(pkiFolder, "originators.json");
}

/** All that are recorded in the file; none where there is no file. Throws FuncError "bad-data" where it is damaged. */
export function readOriginators(file: string): KnownOriginator[] {
  try {
    const stored = v.parse(Stored, JSON.parse(readFileSync(file, "utf8")));
    if (checksumOf(stored.originators) !== stored.checksum)
      throw new Error("its checksum is wrong");
    return stored.originators;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new FuncError("bad-data", `${file} is damaged: ${messageOf(error)}`);
  }
}

export async function writeOriginators(
  file: string,
  originators: readonly KnownOriginator[],
): Promise<void> {
  const content = { version: 1, originators, checksum: checksumOf(originators) };
  await writeFileAtomic(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

function signatureOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return messageOf(error);
  }
}

function fingerprintOf(publicKey: string): string {
  try {
    const key = publicKeyOf(publicKey);
    if (key.asymmetricKeyType === "ec") return keyFingerprint(key);
  } catch {
    // told below
  }
  throw new MethodError(
    VALUE_ERROR,
    "the originator's key has to be a public EC key, base64 of its DER",
  );
}

function otherKey(known: KnownOriginator, shown: string): MethodError {
  return new MethodError(
    ACCESS_DENIED,
    `the overlord ${known.name} is known here by another key (${known.keyFingerprint}, this is ${shown}): if it was set up anew, run on this host: funcd originator forget ${known.name}; otherwise somebody calls in its name`,
  );
}
