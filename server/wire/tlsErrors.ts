import { FuncError, messageOf } from "../common/errors";
import type { WirePeer } from "./wirePeer";
import { peerText } from "./wirePeer";

interface Trouble {
  why: string;
  nextStep: string;
}

const ENROL = "If the host was set up anew or belongs to another overlord, enrol it again.";
const RENEW =
  "Look at the clocks of both hosts; if they are right, renew its certificate: func ca renew.";
const WHO_LISTENS = "Correct the host's address and port, or start funcd there.";
const OLD_TLS = "Update OpenSSL on that host, or the TLS settings of what listens there.";

const OTHER_CA: Trouble = { why: "its certificate comes from another CA", nextStep: ENROL };
const NO_TLS: Trouble = {
  why: "what listens there does not speak TLS",
  nextStep: WHO_LISTENS,
};
const TOO_OLD: Trouble = { why: "it speaks no TLS version from 1.2 on", nextStep: OLD_TLS };
const NOTHING_COMMON: Trouble = {
  why: "it has no cipher or key type in common with this overlord",
  nextStep: OLD_TLS,
};

/** OpenSSL's words where Node has no code: "CA signature digest algorithm too weak", "EE certificate key too weak". */
const WEAK = /\b(?:digest algorithm|key) too (?:weak|small)\b/;
const TOO_WEAK: Trouble = {
  why: "its certificate is signed with SHA-1 or MD5, or its key is too short: current TLS refuses that",
  nextStep:
    "Give the host a new one: func add-host, or func ca sign for the request it still has (a *.csr of the original).",
};

/** Why no trusted connection came about, by the code of Node's error. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  CERT_HAS_EXPIRED: { why: "its certificate has expired", nextStep: RENEW },
  CERT_NOT_YET_VALID: { why: "its certificate is not valid yet", nextStep: RENEW },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    why: "its certificate is self-signed, not issued by this overlord's CA",
    nextStep: WHO_LISTENS,
  },
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_CA,
  UNABLE_TO_GET_ISSUER_CERT: OTHER_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_CA,
  CERT_SIGNATURE_FAILURE: {
    why: "its certificate comes from another CA, though one of the same name",
    nextStep: ENROL,
  },
  INVALID_PURPOSE: {
    why: "its certificate is not one of a minion: it is not meant for a server",
    nextStep: WHO_LISTENS,
  },
  CERT_REVOKED: { why: "its certificate is revoked", nextStep: ENROL },
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: TOO_OLD,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: TOO_OLD,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NOTHING_COMMON,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: NOTHING_COMMON,
  ECONNRESET: {
    why: "it closed the connection during the TLS handshake",
    nextStep: `Look at the log of funcd on that host. ${WHO_LISTENS}`,
  },
};

/** The peer's verdict on our certificate, by the end of the alert's code. */
const VERDICTS: Readonly<Record<string, string>> = {
  UNKNOWN_CA: "it trusts another CA",
  BAD_CERTIFICATE: "it calls it bad",
  CERTIFICATE_EXPIRED: "by its clock it has expired",
  CERTIFICATE_REVOKED: "it calls it revoked",
  CERTIFICATE_UNKNOWN: "it could not check it",
  CERTIFICATE_REQUIRED: "it was shown none",
  UNSUPPORTED_CERTIFICATE: "it is not meant for an overlord",
  ACCESS_DENIED: "it does not let this overlord in",
};
/** Refusals that a wrong clock explains, in the words of `VERDICTS` and of funcd. */
const OF_TIME = /expired|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|is valid from/;
const ALERT = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_ALERT_(.+)$/;

/** The system's or OpenSSL's code of an error; the most telling one's where several addresses were tried. */
export function errorCode(error: unknown): string {
  if (error instanceof AggregateError) {
    const codes = error.errors.map(errorCode);
    return codes.find((code) => code === "ECONNREFUSED") ?? codes[0] ?? "";
  }
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** A failure of TLS, with why. Nothing was run. */
export function tlsError(error: unknown, peer: WirePeer): FuncError {
  const code = errorCode(error);
  const alert = ALERT.exec(code)?.[1];
  const verdict = alert === undefined ? undefined : VERDICTS[alert];
  if (verdict !== undefined) return refusedCertificate(peer, verdict, error);
  const weak = error instanceof Error && WEAK.test(error.message) ? TOO_WEAK : undefined;
  const { why, nextStep } = TROUBLES[code] ??
    weak ?? {
      why: alert === undefined ? messageOf(error) : `it ended the TLS handshake: ${alert}`,
      nextStep: ENROL,
    };
  return new FuncError("tls", `${peerText(peer)}: no trusted connection, ${why}.`, nextStep, {
    cause: error,
  });
}

/** The peer does not take our certificate; nothing was run. */
export function refusedCertificate(peer: WirePeer, why: string, cause?: unknown): FuncError {
  return new FuncError(
    "tls",
    `${peerText(peer)} refused our certificate${why ? ` (${why})` : ""}. Nothing was run.`,
    OF_TIME.test(why)
      ? `Look at that host's clock: here it is ${new Date().toISOString().slice(0, 19)} UTC.`
      : "Look at the minion's log for the reason; a host that belongs to another overlord must be enrolled again.",
    { cause },
  );
}
