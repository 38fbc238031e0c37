import { isIP, isIPv6 } from "node:net";
import { FuncError } from "./errors";
import { isMinionName } from "./minionName";

export interface HostPort {
  /** A host name or an IP address; an IPv6 address without brackets. */
  host: string;
  port: number;
}

const BRACKETED = /^\[([^\]]*)\](?::(\d{1,5}))?$/;
const PLAIN = /^([^:]*)(?::(\d{1,5}))?$/;

/**
 * Reads "host", "host:port", "[IPv6]:port" or a bare IPv6 address. Throws FuncError "bad-argument" where it is
 * none of these, or where it names no port and there is no `defaultPort`.
 */
export function parseHostPort(text: string, defaultPort?: number): HostPort {
  const trimmed = text.trim();
  const bracketed = BRACKETED.exec(trimmed);
  const [, host, port] = bracketed ??
    (isIPv6(trimmed) ? [trimmed, trimmed] : PLAIN.exec(trimmed)) ?? [undefined];
  const number = port === undefined ? defaultPort : Number(port);
  const goodHost = host !== undefined && (bracketed ? isIPv6(host) : isHost(host));
  if (!goodHost || number === undefined || !isPort(number)) {
    throw new FuncError(
      "bad-argument",
      `"${trimmed.slice(0, 80).replace(/[^\x20-\x7e]/g, "?")}" is not an address: use HOST:PORT, or [IPV6]:PORT.`,
    );
  }
  return { host, port: number };
}

/** The inverse of `parseHostPort`. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for a host name or an IP address. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || isMinionName(text.toLowerCase());
}

/** True for a port that can be connected to. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
