import { FuncError } from "../common/errors";
import type { WirePeer } from "./wirePeer";
import { peerText } from "./wirePeer";

/** As a `cause`: the request did not get through whole, so that the call cannot have run. */
export class NotDelivered extends Error {}

export function lookupTimedOut(peer: WirePeer, limitMs: number): FuncError {
  return new FuncError(
    "name-not-found",
    `${peerText(peer)}: looking up the name "${peer.address}" took longer than ${seconds(limitMs)}: ` +
      "DNS does not answer. Nothing was run.",
    "Look at this machine's DNS servers, or give the host's IP address.",
  );
}

/** TCP stands, so the host's system is there. */
export function handshakeTimedOut(peer: WirePeer, limitMs: number): FuncError {
  return new FuncError(
    "timed-out",
    `${peerText(peer)} accepted the connection, but did not finish the TLS handshake within ` +
      `${seconds(limitMs)}. Nothing was run.`,
    "funcd may be frozen or overloaded there, or it is not funcd that listens on that port.",
  );
}

export function notDelivered(
  peer: WirePeer,
  elapsedMs: number,
  taken: number,
  total: number,
): FuncError {
  return new FuncError(
    "timed-out",
    `${peerText(peer)} did not take the whole request: ${amount(taken, total)} in ${seconds(elapsedMs)}. ` +
      "Nothing was run.",
    "Look at the line to that host and at its load; a higher delivery_timeout gives it more time.",
    { cause: new NotDelivered() },
  );
}

export function notAnswered(peer: WirePeer, limitMs: number): FuncError {
  return new FuncError(
    "timed-out",
    `${peerText(peer)} took the request, but did not answer within ${seconds(limitMs)}; ` +
      "the call may have run, or still be running.",
    "Give it more time, or start long work as an async job; if nothing gets an answer there, funcd or the host is frozen.",
  );
}

export function answerStalled(
  peer: WirePeer,
  idleMs: number,
  bytes: number,
  total: number | undefined,
): FuncError {
  return new FuncError(
    "timed-out",
    `${peerText(peer)} stopped in the middle of its answer: nothing came for ${seconds(idleMs)} after ` +
      `${amount(bytes, total)}. The call has run.`,
    "Look at the line to that host, and whether funcd or the host is frozen.",
  );
}

export function answerTooSlow(
  peer: WirePeer,
  elapsedMs: number,
  bytes: number,
  total: number | undefined,
): FuncError {
  return new FuncError(
    "timed-out",
    `${peerText(peer)} answers too slowly: ${amount(bytes, total)} in ${seconds(elapsedMs)}. ` +
      "The call has run.",
    "Look at the line to that host and at its load; let large outputs go to a file there.",
  );
}

function amount(bytes: number, total: number | undefined): string {
  return total === undefined ? `${bytes} bytes` : `${bytes} of ${total} bytes`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 10) / 100} s`;
}
