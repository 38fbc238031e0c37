import { isIPv4 } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { connect } from "node:tls";
import { FuncError } from "../../common/errors";
import { formatHostPort, isHost, parseHostPort, type HostPort } from "../../common/hostPort";
import { MAX_ADDRESSES } from "../enrolment/joinToken";

/** Long enough for this machine to reach itself. */
const PROBE_TIMEOUT_MS = 1000;
const ANY_HOST = new Set(["0.0.0.0", "::", ""]);
const LOOPBACK = "127.0.0.1";

/**
 * The addresses a join token names: those given (with the listener's port where they have none), else this
 * machine's own that answer. Throws FuncError "bad-argument" for a given one that is no address.
 */
export async function offeredAddresses(
  listener: HostPort,
  given: readonly string[] | undefined,
): Promise<string[]> {
  if (given !== undefined && given.length > 0) {
    if (given.length > MAX_ADDRESSES) {
      throw new FuncError("bad-argument", `A join token names at most ${MAX_ADDRESSES} addresses.`);
    }
    return unique(given.map((text) => formatHostPort(parseHostPort(text, listener.port))));
  }
  const candidates = candidateHosts(listener.host).map((host) => ({ host, port: listener.port }));
  const answers = await Promise.all(candidates.map(answersHere));
  const reachable = candidates.filter((_, index) => answers[index]).map(formatHostPort);
  const offered = unique(reachable).slice(0, MAX_ADDRESSES);
  return offered.length > 0 ? offered : [formatHostPort({ host: LOOPBACK, port: listener.port })];
}

function candidateHosts(listenHost: string): string[] {
  if (!ANY_HOST.has(listenHost)) return [listenHost];
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    // an IPv6 link-local address means nothing without the interface
    .filter((entry) => !entry.internal && !/^fe80:/i.test(entry.address))
    .map((entry) => entry.address);
  const name = hostname().toLowerCase();
  return [
    ...addresses.filter((address) => isIPv4(address)),
    ...(isHost(name) ? [name] : []),
    ...addresses.filter((address) => !isIPv4(address)),
  ];
}

/** A whole handshake, ended in order: less than that would be told as a client that was refused. */
async function answersHere({ host, port }: HostPort): Promise<boolean> {
  return await new Promise((resolve) => {
    // nothing is sent, and nothing believed
    const socket = connect({ host, port, rejectUnauthorized: false });
    const timer = setTimeout(() => {
      end(false);
    }, PROBE_TIMEOUT_MS);
    const end = (answers: boolean): void => {
      clearTimeout(timer);
      if (answers) socket.end();
      else socket.destroy();
      setTimeout(() => socket.destroy(), PROBE_TIMEOUT_MS).unref();
      resolve(answers);
    };
    socket.resume();
    socket.once("secureConnect", () => end(true));
    socket.on("error", () => end(false));
  });
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)];
}
