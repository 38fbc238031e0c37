import { randomBytes } from "node:crypto";
import { FuncError } from "../common/errors";
import { clientProof, overlordProof, sameProof } from "../common/hello";
import {
  PROTOCOL_MAJOR,
  type ClientHello,
  type ClientKind,
  type OverlordHello,
} from "../protocol/overlord";

/** A fresh hello for one connection; `secret` is the endpoint file's. */
export function createClientHello(secret: string, kind: ClientKind, version: string): ClientHello {
  const nonce = randomBytes(16).toString("hex");
  const sentAtMs = Date.now();
  const proof = clientProof(secret, nonce, sentAtMs);
  const { pid } = process;
  return { protocolMajor: PROTOCOL_MAJOR, kind, version, pid, nonce, sentAtMs, proof };
}

/**
 * Reads the answer to `initialize` and checks that the overlord knows the secret too.
 * Throws FuncError "denied" where it does not, "unavailable" where its protocol is another.
 */
export function checkOverlordHello(
  answer: unknown,
  secret: string,
  hello: ClientHello,
): OverlordHello {
  const overlord: unknown =
    typeof answer === "object" && answer !== null && "overlord" in answer ? answer.overlord : null;
  if (
    !isOverlordHello(overlord) ||
    !sameProof(overlordProof(secret, hello.nonce), overlord.proof)
  ) {
    throw new FuncError(
      "denied",
      "What answers at the overlord's socket could not prove that it is this user's overlord.",
      "Stop the process that listens there, then try again.",
    );
  }
  if (overlord.protocolMajor !== PROTOCOL_MAJOR) {
    throw new FuncError(
      "unavailable",
      `The running overlord ${overlord.version} speaks protocol ${overlord.protocolMajor}, this program speaks ${PROTOCOL_MAJOR}.`,
      "Use the same version of both: reload the window, or stop the overlord so that a new one starts.",
    );
  }
  return overlord;
}

function isOverlordHello(value: unknown): value is OverlordHello {
  if (typeof value !== "object" || value === null) return false;
  const hello = value as Partial<Record<keyof OverlordHello, unknown>>;
  return (
    typeof hello.proof === "string" &&
    typeof hello.protocolMajor === "number" &&
    typeof hello.protocolMinor === "number" &&
    typeof hello.version === "string" &&
    typeof hello.pid === "number" &&
    typeof hello.host === "string" &&
    typeof hello.dataDirectory === "string"
  );
}
