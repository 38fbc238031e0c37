import { FuncError, messageOf } from "../common/errors";
import { answerTooLarge, brokenAnswer } from "./wireErrors";
import type { WirePeer } from "./wirePeer";
import { peerText } from "./wirePeer";

/** What `error`, thrown while an answer was read, means for the call. */
export function answerError(peer: WirePeer, error: unknown): FuncError {
  const message = messageOf(error).replace(/\.$/, "");
  if (error instanceof FuncError) {
    if (error.reason === "too-large") return answerTooLarge(peer, error);
    if (error.reason === "unavailable") return outputNotKept(peer, error);
    if (error.reason === "broken-answer") {
      return brokenAnswer(peer, `did not answer with HTTP: ${message}`, true, error);
    }
  }
  return brokenAnswer(peer, `gave an answer that cannot be read: ${message}`, true, error);
}

/** `error` says already that the call has run. */
function outputNotKept(peer: WirePeer, error: FuncError): FuncError {
  const { message, nextStep } = error;
  return new FuncError("unavailable", `${peerText(peer)}: ${message}`, nextStep, { cause: error });
}
