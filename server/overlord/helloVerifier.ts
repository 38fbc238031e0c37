import * as v from "valibot";
import { FuncError } from "../common/errors";
import { clientProof, overlordProof, sameProof } from "../common/hello";
import { PROTOCOL_MAJOR, type ClientHello } from "../protocol/overlord";

/** A hello is good for this long; both ends are on one machine. */
const WINDOW_MS = 60_000;
/** More connections in one window are no honest use. */
const MAX_NONCES = 10_000;

const helloSchema = v.object({
  protocolMajor: v.pipe(v.number(), v.integer()),
  kind: v.picklist(["extension", "cli", "library", "funcd"]),
  version: v.pipe(v.string(), v.maxLength(100)),
  pid: v.optional(v.pipe(v.number(), v.safeInteger())),
  nonce: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  sentAtMs: v.pipe(v.number(), v.integer()),
  proof: v.pipe(v.string(), v.maxLength(128)),
});

/** Decides whether a client could read the endpoint file, and accepts each hello once. */
export class HelloVerifier {
  /** When each nonce was accepted, oldest first. */
  private readonly used = new Map<string, number>();

  constructor(private readonly secret: string) {}

  /** Throws FuncError "denied" where the proof is wrong, old or used, "unavailable" for another protocol. */
  verify(params: unknown, nowMs = Date.now()): ClientHello {
    const parsed = v.safeParse(v.object({ initializationOptions: helloSchema }), params);
    if (!parsed.success) throw denied("its hello is incomplete");
    const hello = parsed.output.initializationOptions;
    const proof = clientProof(this.secret, hello.nonce, hello.sentAtMs);
    if (!sameProof(proof, hello.proof)) throw denied("its proof is wrong");
    if (Math.abs(nowMs - hello.sentAtMs) > WINDOW_MS) throw denied("its hello is too old");
    this.forgetOld(nowMs);
    if (this.used.has(hello.nonce)) throw denied("its hello was used before");
    if (this.used.size >= MAX_NONCES) {
      throw new FuncError("unavailable", "Too many connections within one minute.");
    }
    this.used.set(hello.nonce, nowMs);
    if (hello.protocolMajor !== PROTOCOL_MAJOR) {
      throw new FuncError(
        "unavailable",
        `The client ${hello.version} speaks protocol ${hello.protocolMajor}, this overlord speaks ${PROTOCOL_MAJOR}.`,
        "Use the same version of both: reload the window, or stop the overlord so that a new one starts.",
      );
    }
    return hello;
  }

  /** The overlord's own proof, for a client that was accepted. */
  answer(hello: ClientHello): string {
    return overlordProof(this.secret, hello.nonce);
  }

  /** A hello may have been sent up to one window before or after it was accepted. */
  private forgetOld(nowMs: number): void {
    for (const [nonce, acceptedMs] of this.used) {
      if (nowMs - acceptedMs <= 2 * WINDOW_MS) return;
      this.used.delete(nonce);
    }
  }
}

function denied(why: string): FuncError {
  return new FuncError(
    "denied",
    `The overlord refused the connection: ${why}.`,
    "Connect again: the client reads the endpoint file anew.",
  );
}
