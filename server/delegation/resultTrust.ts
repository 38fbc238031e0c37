import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { Ending } from "../jobs/engine/outcome";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import { formerKeys, verifyReceipt } from "../pki/documents/resultReceipt";
import { outputRefOf } from "../protocol/outputs";
import type { JsonValue } from "../protocol/value";
import { digestOfError, digestOfJson } from "../wire/valueDigest";
import type { MapIdentities } from "./mapIdentities";

/** A value that is a larger file than this cannot be compared with what was signed. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** Results come in thousands: the file is not looked at for each. */
const IDENTITIES_KNOWN_MS = 1_000;

/** What is told of one host's call. */
export interface ToldResult {
  minion: MinionBehind;
  callId: string;
  /** Who told it. */
  hop: string;
  ending: Ending;
}

/** Tells results that hosts have signed from those that somebody on the way has made. */
export class ResultTrust {
  constructor(
    private readonly identities: MapIdentities,
    private readonly outputs: Pick<OutputFiles, "read">,
    private readonly log: Log,
  ) {}

  /**
   * The result with who vouches for it. Where the host's key is known, a value or an error of its own that is not
   * signed by it becomes "failed"; states that no host can sign are taken as told. A key that is seen for the first
   * time is noted as the host's, as is one that the known key has named as its successor (a renewed certificate).
   */
  async judge(told: ToldResult): Promise<Ending> {
    const { ending, minion } = told;
    if (!isAnswer(ending)) return ending;
    await this.identities.load(IDENTITIES_KNOWN_MS);
    const noted = this.identities.find(minion.path);
    const known = minion.identity ?? noted?.key;
    const signer = await this.signerOf(told);
    if (known !== undefined) {
      if (signer === known) return { ...withoutSuccession(ending), signed: "yes" };
      if (signer !== undefined && (await this.isSuccessor(told, known, signer))) {
        return { ...ending, signed: "yes" };
      }
      if (noted?.native === false) return { ...ending, signed: "no" };
      return notItsOwn(told, signer === undefined ? "it has not signed" : "another key has signed");
    }
    if (signer === undefined) return { ...ending, signed: "no" };
    this.identities.saw(minion.path, signer, true);
    await this.save();
    return { ...withoutSuccession(ending), signed: "first" };
  }

  /**
   * True where the known key has named the signer as its successor, over however many between. What is noted of the
   * host then follows.
   */
  private async isSuccessor(
    { minion, ending }: ToldResult,
    known: string,
    signer: string,
  ): Promise<boolean> {
    const former = ending.receipt ? formerKeys(ending.receipt) : [];
    if (!former.includes(known)) return false;
    const noted = this.identities.keyOf(minion.path);
    if (noted !== undefined && former.includes(noted)) {
      this.identities.succeed(noted, signer);
      this.log.info("a host has a new key, which its former one vouches for", {
        path: minion.path,
        former: noted,
        key: signer,
      });
      await this.save();
    }
    return true;
  }

  private async save(): Promise<void> {
    await this.identities.save().catch((error: unknown) => {
      this.log.error("the key of a host could not be noted", { problem: messageOf(error) });
    });
  }

  /** hex SHA-256 of the key that has signed the result; undefined where none has. */
  private async signerOf({ ending, callId }: ToldResult): Promise<string | undefined> {
    const { receipt, value, error } = ending;
    if (!receipt) return undefined;
    const digest = error ? digestOfError(error) : await this.digestOf(value);
    return digest === undefined ? undefined : verifyReceipt(receipt, { callId, digest });
  }

  private async digestOf(value: JsonValue | undefined): Promise<string | undefined> {
    if (value === undefined) return undefined;
    const ref = outputRefOf(value);
    if (ref?.kind !== "json") return digestOfJson(value);
    if (ref.bytes > MAX_JSON_BYTES) return undefined;
    try {
      const pieces: Buffer[] = [];
      for (let at = 0; at < ref.bytes; at += PIECE_BYTES) {
        pieces.push((await this.outputs.read(ref.sha256, at, PIECE_BYTES)).bytes);
      }
      return digestOfJson(JSON.parse(Buffer.concat(pieces).toString()) as JsonValue);
    } catch {
      return undefined; // it is no JSON, or gone
    }
  }
}

/** The way from former keys is kept only where it was needed. */
function withoutSuccession({ receipt, ...ending }: Ending): Ending {
  if (!receipt) return ending;
  const { callId, digest, publicKey, signature } = receipt;
  return { ...ending, receipt: { callId, digest, publicKey, signature } };
}

/** What a host itself can give; that its answer was lost on the way is somebody else's word. */
function isAnswer({ state, mayHaveRun, receipt }: Ending): boolean {
  if (state === "succeeded") return true;
  return state === "failed" && (mayHaveRun !== true || receipt !== undefined);
}

function notItsOwn({ minion, hop, ending }: ToldResult, what: string): Ending {
  const says = ending.error ? `: "${ending.error.message.slice(0, 500)}"` : "";
  return {
    state: "failed",
    mayHaveRun: true,
    signed: "no",
    ...(ending.via && { via: ending.via }),
    failedHop: hop,
    error: {
      type: "func.wrong-identity",
      message: `${hop} gave a result of ${minion.name} that ${what}${says}`,
      trace: "",
      nextStep: `Look on ${minion.name} and at ${hop}. If ${minion.name} has a new key, build the map again: func build-map.`,
    },
  };
}
