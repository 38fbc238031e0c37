import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { FuncError } from "../common/errors";
import { handshakeTimedOut } from "./limitErrors";
import { LEAST_TLS } from "./wireConnection";
import { cancelled, connectError, unreachable } from "./wireErrors";
import type { WirePeer } from "./wirePeer";

/** For a server that does not end its side. */
const LAST_WORDS_MS = 1_000;

/**
 * The certificates that a server presents, leaf first, root last where it sends that. Nothing is sent and
 * nothing is trusted: it is for learning a CA that is then compared with a known fingerprint. Throws
 * FuncError "name-not-found", "refused", "unreachable", "tls", "timed-out" or "cancelled".
 */
export async function fetchPresentedChain(options: {
  address: string;
  port: number;
  timeoutMs: number;
  signal?: AbortSignal;
}): Promise<X509Certificate[]> {
  const { address, port, timeoutMs, signal } = options;
  const peer: WirePeer = { name: address, address, port };
  if (signal?.aborted) throw cancelled(peer, false);
  return new Promise((resolve, reject) => {
    let connected = false;
    const socket = connect({
      host: address,
      port,
      rejectUnauthorized: false,
      minVersion: LEAST_TLS,
    });
    const finish = (result: X509Certificate[] | FuncError): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      if (result instanceof FuncError) {
        socket.destroy();
        reject(result);
      } else {
        // in order: else the server takes it for a handshake that failed
        socket.end();
        setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
        resolve(result);
      }
    };
    const onAbort = (): void => {
      finish(cancelled(peer, false));
    };
    const timer = setTimeout(() => {
      finish(
        connected ? handshakeTimedOut(peer, timeoutMs) : unreachable(peer, undefined, timeoutMs),
      );
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort);
    socket.resume(); // or its end would not be seen
    socket.once("connect", () => {
      connected = true;
    });
    socket.on("error", (error) => {
      finish(connectError(error, peer, connected));
    });
    socket.once("secureConnect", () => {
      finish(chainOf(socket.getPeerX509Certificate()));
    });
  });
}

const MAX_CHAIN = 10;

function chainOf(leaf: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let next = leaf; next && chain.length < MAX_CHAIN; next = next.issuerCertificate) {
    if (chain.some((certificate) => certificate.fingerprint256 === next.fingerprint256)) break;
    chain.push(next);
  }
  return chain;
}
