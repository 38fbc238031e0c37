import { FuncError, messageOf } from "../common/errors";
import type { WirePeer } from "./wirePeer";
import { peerText } from "./wirePeer";

/** Why OpenSSL did not accept the peer's certificate, by Node's error code. */
const CERTIFICATE_TROUBLE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet (look at the clocks of both hosts)",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed, not issued by this overlord's CA",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from another CA",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate comes from another CA",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from another CA",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from another CA",
  CERT_SIGNATURE_FAILURE: "its certificate was not signed by this overlord's CA",
  INVALID_PURPOSE: "its certificate is not meant for a server",
  CERT_REVOKED: "its certificate is revoked",
  ERR_SSL_WRONG_VERSION_NUMBER: "what listens there does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "what listens there does not speak TLS",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it speaks no TLS version from 1.2 on",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it speaks no TLS version from 1.2 on",
};
const REFUSED_OUR_CERTIFICATE = /ALERT.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|BAD_CERT)/;

/** The system's or OpenSSL's code of an error; the first one's where several addresses were tried. */
export function errorCode(error: unknown): string {
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** What an error means that ended the attempt to connect. `connected`: TCP stood, TLS did not yet. */
export function connectError(error: unknown, peer: WirePeer, connected: boolean): FuncError {
  const who = peerText(peer);
  const cause = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  switch (errorCode(error)) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new FuncError(
        "name-not-found",
        `${who}: the name "${peer.address}" was not found.`,
        "Look at its spelling and at DNS, or give the host's IP address.",
        { cause },
      );
    case "ECONNREFUSED":
      return new FuncError(
        "refused",
        `${who} refused the connection: nothing listens on that port.`,
        "Start funcd on that host, or correct the port.",
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

/** `cause` tells how the network said so, where it did. */
export function unreachable(peer: WirePeer, cause: unknown, withinMs?: number): FuncError {
  const wait = withinMs === undefined ? "" : ` within ${withinMs / 1000} s`;
  const why = withinMs === undefined ? `: ${messageOf(cause)}` : "";
  return new FuncError(
    "unreachable",
    `${peerText(peer)} could not be reached${wait}${why}.`,
    "Look whether the host is up, and at firewalls between here and there.",
    { cause },
  );
}

/** A failure of TLS, with why. */
export function tlsError(error: unknown, peer: WirePeer): FuncError {
  const who = peerText(peer);
  const code = errorCode(error);
  if (REFUSED_OUR_CERTIFICATE.test(code)) {
    return refusedCertificate(peer, code.replace(/^ERR_SSL_/, ""), error);
  }
  const why =
    CERTIFICATE_TROUBLE[code] ??
    (code === "ECONNRESET" ? "it closed the connection during the handshake" : messageOf(error));
  return new FuncError(
    "tls",
    `${who}: no trusted connection, ${why}.`,
    "If the host was set up anew or belongs to another overlord, enrol it again.",
    { cause: error },
  );
}

/** The peer does not take our certificate; nothing was run. */
export function refusedCertificate(peer: WirePeer, why: string, cause?: unknown): FuncError {
  return new FuncError(
    "tls",
    `${peerText(peer)} refused our certificate${why ? ` (${why})` : ""}. Nothing was run.`,
    "Look at the minion's log for the reason; a host that belongs to another overlord must be enrolled again.",
    { cause },
  );
}

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

/** `sent`: the request had gone out, so the call may have run. */
export function timedOut(peer: WirePeer, timeoutMs: number, sent: boolean): FuncError {
  const seconds = `${timeoutMs / 1000} s`;
  return sent
    ? new FuncError(
        "timed-out",
        `${peerText(peer)} did not answer within ${seconds}; the call may have run, or still be running.`,
        "Give it more time, or start long work as an async job.",
      )
    : new FuncError(
        "timed-out",
        `${peerText(peer)} did not finish the connection within ${seconds}. Nothing was run.`,
        "Look at the load of the host, and whether it is funcd that listens on that port.",
      );
}

export function cancelled(peer: WirePeer, sent: boolean): FuncError {
  const effect = sent ? "it had been sent, so it may have run" : "nothing was sent";
  return new FuncError("cancelled", `The call of ${peerText(peer)} was cancelled; ${effect}.`);
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
