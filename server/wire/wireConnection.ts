import { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import { connect, TLSSocket } from "node:tls";
import { peerCertificate, type PeerCertificate } from "./peerCertificate";
import type { PeerFacts, ResumableSession } from "./peerMemory";
import { tlsError } from "./tlsErrors";
import { connectError, wrongIdentity } from "./wireErrors";
import type { WirePeer } from "./wirePeer";

/** What our own ends offer each other by ALPN; "http/1.1" as well, since an offer without a match is fatal. */
export const NATIVE_PROTOCOL = "func/1";
export const ALPN_PROTOCOLS = [NATIVE_PROTOCOL, "http/1.1"];
export const LEAST_TLS = "TLSv1.2";
const EXPIRED = "CERT_HAS_EXPIRED";

/** Idle for so long, the peer's system is asked whether it is still there; it has 10 s to say so. */
const KEEP_ALIVE_MS = 15_000;
/** For each of several addresses of a name; Node's 250 ms are not enough around the world. */
const ADDRESSES = { autoSelectFamilyAttemptTimeout: 1_000 };

/** What `connect` itself calls; its option `session` parses the ticket twice, a seventh of a resumed call. */
interface SettableSession extends TLSSocket {
  setSession(ticket: Buffer): void;
}
const CAN_SET_SESSION = "setSession" in TLSSocket.prototype;

/** Whether a peer that TLS did not accept, because its certificate has expired, is good enough. */
export type AcceptExpired = (certificate: X509Certificate) => boolean;

export interface PeerJudges {
  verifyPeer: VerifyPeer;
  /** Without it nobody is. Sessions are not resumed then: they show no certificate. */
  acceptExpired?: AcceptExpired;
}

export type VerifyPeer = (certificate: PeerCertificate, peer: WirePeer) => void;

/** One TLS connection whose peer has been verified; it carries one call at a time. */
export class WireConnection {
  #dead = false;
  readonly #notAfterMs: number;

  private constructor(
    readonly socket: TLSSocket,
    readonly native: boolean,
    readonly certificate: PeerCertificate,
    mayBeExpired: boolean,
  ) {
    this.#notAfterMs = mayBeExpired ? Infinity : Date.parse(certificate.validTo);
    const die = (): void => {
      this.#dead = true;
    };
    socket.on("error", die).on("end", die).on("close", die);
  }

  /** False once the peer has closed, or its certificate has expired. */
  get usable(): boolean {
    return (
      !this.#dead && !this.socket.destroyed && this.socket.writable && Date.now() < this.#notAfterMs
    );
  }

  destroy(): void {
    this.#dead = true;
    this.socket.destroy();
  }

  /**
   * Starts a connection. `done` is called once, with the connection after its peer's certificate, dates
   * and identity were checked, or with what failed. Returns the socket, whose destruction ends the attempt;
   * throws RangeError on an address or port that can be none.
   */
  static start(
    peer: WirePeer,
    secureContext: SecureContext,
    judges: PeerJudges,
    facts: PeerFacts,
    done: (result: WireConnection | Error) => void,
  ): TLSSocket {
    // Node would connect to this host itself
    if (peer.address === "") throw new RangeError("the address is empty");
    const resumable = judges.acceptExpired ? undefined : facts.session;
    const socket = connect({
      host: peer.address,
      port: peer.port,
      secureContext,
      session: CAN_SET_SESSION ? undefined : resumable?.ticket,
      ALPNProtocols: ALPN_PROTOCOLS,
      ...ADDRESSES,
      rejectUnauthorized: !judges.acceptExpired, // it is looked at below
      // host names mean nothing here: who the peer is says verifyPeer, below
      checkServerIdentity: acceptAnyName,
    });
    if (resumable && CAN_SET_SESSION) (socket as SettableSession).setSession(resumable.ticket);
    socket.setNoDelay(true);
    skipLegacyCertificate(socket);
    let connected = false;
    // what listens to the socket for as long as it is held must not hold what it was opened for
    let waiting: typeof done | undefined = done;
    const tell = (result: WireConnection | Error): void => {
      const told = waiting;
      waiting = undefined;
      told?.(result);
    };
    const fail = (error: Error): void => {
      facts.session = undefined; // a session that leads nowhere is not tried twice
      socket.destroy();
      tell(error);
    };
    const onError = (error: Error): void => {
      fail(connectError(error, peer, connected));
    };
    socket.once("connect", () => {
      connected = true;
      socket.setKeepAlive(true, KEEP_ALIVE_MS); // before there is a connection, its delay would be lost
    });
    socket.on("error", onError);
    let certificate: PeerCertificate | undefined;
    let early: Buffer | undefined;
    socket.on("session", (ticket: Buffer) => {
      if (certificate) facts.session = { ticket, certificate };
      else early = ticket; // TLS 1.2 gives it within the handshake
    });
    socket.once("secureConnect", () => {
      socket.off("error", onError);
      socket.on("error", ignore);
      let connection: WireConnection;
      try {
        connection = WireConnection.#verified(socket, peer, judges, resumable);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      facts.native = connection.native;
      ({ certificate } = connection);
      if (early) facts.session = { ticket: early, certificate };
      tell(connection);
    });
    return socket;
  }

  /** Resumed connections included: Node asks `checkServerIdentity` only on full handshakes. */
  static #verified(
    socket: TLSSocket,
    peer: WirePeer,
    { verifyPeer, acceptExpired }: PeerJudges,
    resumable: ResumableSession | undefined,
  ): WireConnection {
    const certificate = certificateOf(socket, resumable);
    const mayBeExpired = !socket.authorized && isExpiredButGood(socket, certificate, acceptExpired);
    if ((!socket.authorized && !mayBeExpired) || !certificate) {
      throw tlsError(verdictOf(socket), peer);
    }
    const native = socket.alpnProtocol === NATIVE_PROTOCOL;
    const connection = new WireConnection(socket, native, certificate, mayBeExpired);
    if (Date.now() >= connection.#notAfterMs) {
      throw tlsError(Object.assign(new Error("expired"), { code: EXPIRED }), peer);
    }
    verify(connection, peer, verifyPeer);
    return connection;
  }
}

/** OpenSSL tells one of several errors only, so that `acceptExpired` has to judge the rest as well. */
function isExpiredButGood(
  socket: TLSSocket,
  certificate: PeerCertificate | undefined,
  acceptExpired: AcceptExpired | undefined,
): boolean {
  if (!acceptExpired || !certificate) return false;
  if (String(socket.authorizationError) !== EXPIRED) return false;
  return acceptExpired(new X509Certificate(certificate.raw)); // Node's socket shows it only once
}

function verdictOf(socket: TLSSocket): Error {
  const code = String(socket.authorizationError);
  return Object.assign(new Error("its certificate was not accepted"), { code });
}

/**
 * Node's clients see no certificate on a resumed connection: it then is the one of the handshake that the
 * session began with, since only that peer can resume it.
 */
function certificateOf(
  socket: TLSSocket,
  resumable: ResumableSession | undefined,
): PeerCertificate | undefined {
  if (socket.isSessionReused() && resumable) return resumable.certificate;
  const certificate = socket.getPeerX509Certificate();
  return certificate && peerCertificate(certificate);
}

/** Throws FuncError "wrong-identity" where the connection's certificate is not (or no longer) the peer's. */
export function verify(connection: WireConnection, peer: WirePeer, verifyPeer: VerifyPeer): void {
  try {
    verifyPeer(connection.certificate, peer);
  } catch (error) {
    throw wrongIdentity(error, peer);
  }
}

/**
 * Node builds the old object form of the peer's certificate on each handshake, only to hand it to
 * `checkServerIdentity`: a fifth of the handshake's cost, for an argument that is not looked at here.
 */
function skipLegacyCertificate(socket: TLSSocket): void {
  Object.defineProperty(socket, "getPeerCertificate", { value: () => ({}), configurable: true });
}

/** A closure of its own would live as long as the socket, with all that stands around it. */
function acceptAnyName(): undefined {
  return undefined;
}

function ignore(): void {
  // a connection's end is seen by `usable`, and by the call it carries
}
