import { isIPv6 } from "node:net";

const GROUPS = 8;
/** Whoever has one IPv6 address has 2^64 of them: only the network tells sources apart. */
const NETWORK_GROUPS = 4;

/** The address of a peer as people know it: IPv4 also where the socket is an IPv6 one. */
export function plainAddress(remoteAddress: string): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** What counts as one source where requests are limited: an IPv4 address, or an IPv6 network of 64 bits. */
export function sourceOf(remoteAddress: string): string {
  const address = plainAddress(remoteAddress).replace(/%.*$/, "");
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(GROUPS - before.length - after.length, 0);
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}
