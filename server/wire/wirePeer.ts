/** A minion (or the certmaster) as the wire knows it. */
export interface WirePeer {
  /** The name that its certificate must carry. */
  name: string;
  /** Host name or IP address to connect to. */
  address: string;
  port: number;
  /** Hex SHA-256 of the public key (SPKI) it is known by, where it is known. */
  keyFingerprint?: string;
  /** On that key, a certificate of the original, which has but a common name, is good as well. */
  cnOnly?: true;
}

/** How messages name a peer: `web1 (10.0.0.1:51234)`. */
export function peerText(peer: { name: string; address: string; port: number }): string {
  const address = peer.address.includes(":") ? `[${peer.address}]` : peer.address;
  return `${peer.name} (${address}:${peer.port})`;
}

/** What connections, sessions and memories of a peer are kept under: never shared by two identities. */
export function peerKey(peer: WirePeer): string {
  return JSON.stringify([peer.name, peer.address, peer.port, peer.keyFingerprint ?? ""]);
}
