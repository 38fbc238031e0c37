import { FuncError, messageOf } from "../common/errors";
import { errorCode, tlsError } from "./tlsErrors";
import type { WirePeer } from "./wirePeer";
import { peerText } from "./wirePeer";

/** What an error means that ended the attempt to connect. `connected`: TCP stood, TLS did not yet. */
export function connectError(error: unknown, peer: WirePeer, connected: boolean): FuncError {
  const who = peerText(peer);
  const cause = error instanceof AggregateError ? mostTelling(error) : error;
  switch (errorCode(error)) {
    case "EAI_AGAIN":
      return new FuncError(
        "name-not-found",
        `${who}: the name "${peer.address}" could not be looked up: DNS does not answer. Nothing was run.`,
        "Look at this machine's DNS servers, or give the host's IP address.",
        { cause },
      );
    case "ENOTFOUND":
      return new FuncError(
        "name-not-found",
        `${who}: the name "${peer.address}" was not found. Nothing was run.`,
        "Look at its spelling and at DNS, or give the host's IP address.",
        { cause },
      );
    case "ECONNREFUSED":
      return new FuncError(
        "refused",
        `${who} refused the connection: nothing listens on that port. Nothing was run.`,
        "Start funcd on that host, or correct the port: func address NAME HOST:PORT.",
        { cause },
      );
    case "EMFILE":
    case "ENFILE":
      return new FuncError(
        "unavailable",
        `${who}: this machine has no more file descriptors for a connection. Nothing was run.`,
        "Raise the limit of open files (ulimit -n) for the overlord, or lower nforks.",
        { cause },
      );
    case "EACCES":
    case "EPERM":
      return new FuncError(
        "unreachable",
        `${who} could not be reached: this machine's own firewall or policy forbids it. Nothing was run.`,
        "Allow connections from here to that address and port.",
        { cause },
      );
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "EADDRNOTAVAIL":
    case "ETIMEDOUT":
      return unreachable(peer, cause);
  }
  return connected ? tlsError(error, peer) : unreachable(peer, cause);
}

function mostTelling(error: AggregateError): unknown {
  const code = errorCode(error);
  return error.errors.find((one) => errorCode(one) === code);
}

/** `cause` tells how the network said so, where it did. */
export function unreachable(peer: WirePeer, cause: unknown, withinMs?: number): FuncError {
  const why =
    withinMs === undefined
      ? (NO_WAY[errorCode(cause)] ?? messageOf(cause))
      : `nothing answered the attempt to connect within ${withinMs / 1000} s`;
  return new FuncError(
    "unreachable",
    `${peerText(peer)} could not be reached: ${why}. Nothing was run.`,
    "Look whether the host is up, and at firewalls between here and there.",
    { cause },
  );
}

const NO_WAY: Readonly<Record<string, string>> = {
  EHOSTUNREACH: "no route to that host",
  ENETUNREACH: "no route to that network",
  EADDRNOTAVAIL: "this machine has no address to reach it from",
  EHOSTDOWN: "the host is down",
  ETIMEDOUT: "nothing answers there",
};

/** The certificate is good, but another's. */
export function wrongIdentity(error: unknown, peer: WirePeer): FuncError {
  const message = messageOf(error);
  const told = error instanceof FuncError && error.reason === "wrong-identity";
  return new FuncError(
    "wrong-identity",
    told && message.includes(peer.name)
      ? message
      : `${peerText(peer)}: another host answers there, ${message}`,
    (error instanceof FuncError ? error.nextStep : undefined) ??
      "Correct the address, or enrol the host again.",
    { cause: error },
  );
}

export function cancelled(peer: WirePeer, sent: boolean): FuncError {
  const effect = sent ? "it had been sent, so it may have run" : "nothing was sent";
  return new FuncError("cancelled", `The call of ${peerText(peer)} was cancelled; ${effect}.`);
}

/** The connection ended before the answer did. `error` where it did not just close. */
export function connectionLost(peer: WirePeer, answering: boolean, error?: Error): FuncError {
  const code = errorCode(error);
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    const when = answering ? "in the middle of its answer" : "before it answered";
    return brokenAnswer(peer, `vanished from the network ${when}`, true, error);
  }
  return brokenAnswer(
    peer,
    answering
      ? "closed the connection in the middle of its answer"
      : "closed the connection without an answer; it may have been restarted, or not accept our certificate",
    true,
    error,
  );
}

/** The answer is not one, or is none. `mayHaveRun` unless the peer said that it did not. */
export function brokenAnswer(
  peer: WirePeer,
  what: string,
  mayHaveRun = true,
  cause?: unknown,
): FuncError {
  return new FuncError(
    "broken-answer",
    `${peerText(peer)} ${what}.${mayHaveRun ? " The call may have run." : ""}`,
    "Look at the log of funcd on that host, and whether it is funcd that listens on that port.",
    { cause },
  );
}

export function answerTooLarge(peer: WirePeer, error: FuncError): FuncError {
  return new FuncError(
    "too-large",
    `${peerText(peer)}: ${error.message.replace(/\.$/, "")}. The call has run.`,
    "Ask for less at a time, or let the method write to a file and fetch that.",
    { cause: error },
  );
}

/** The address or the port can be none. */
export function badAddress(peer: WirePeer, cause: unknown): FuncError {
  return new FuncError(
    "bad-argument",
    `${peerText(peer)}: that address cannot be connected to: ${messageOf(cause)}`,
    "Correct the host's address and port.",
    { cause },
  );
}
