import { X509Certificate } from "node:crypto";
import { FuncError } from "../common/errors";
import { parseMinionName } from "../common/minionName";
import { anotherKey } from "../pki/certificates/anotherKey";
import { fingerprintWords } from "../pki/certificates/fingerprintWords";
import { cnOnlyIdentity, identityOf } from "../pki/certificates/identity";
import { revokedPeer } from "../pki/authority/revokedPeer";
import type { AcceptedMinion, InspectedMinion, MinionPlace } from "../protocol/certmaster";
import { parseAddress } from "../targets/inventory";
import type { PeerCertificate } from "../wire/peerCertificate";
import type { WirePeer } from "../wire/wirePeer";
import type { OverlordParts } from "./service";

/** For the address, the connection and TLS. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Ends the attempt before anything is sent. */
class Seen extends Error {}

/**
 * Connects to a host with a certificate of the original, and tells its key; nothing is called. Throws FuncError:
 * "unavailable" where there is no CA, "wrong-identity" where the certificate is not CN-only, or of another name,
 * or revoked, or what stood in the way of a connection ("tls" for another CA's, or an expired one).
 */
export async function inspectRequest(
  { credentials }: OverlordParts,
  { name, address, port }: MinionPlace,
  signal: AbortSignal,
): Promise<InspectedMinion> {
  const place = { name: parseMinionName(name), address: parseAddress(address), port };
  const authority = credentials.existingAuthority();
  let shown: PeerCertificate | undefined;
  const client = await credentials.inspectionClient((certificate, peer) => {
    verifyCnOnly(certificate, peer);
    const revoked = authority && revokedPeer(authority, certificate);
    if (revoked) throw revoked;
    shown = certificate;
  });
  try {
    await client.call(place, "test.ping", [], {
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      signal,
      beforeSending: () => {
        throw new Seen();
      },
    });
  } catch (error) {
    if (!(error instanceof Seen)) throw error;
  } finally {
    client.close();
  }
  const keyFingerprint = shown && cnOnlyIdentity(shown)?.keyFingerprint;
  if (!shown || keyFingerprint === undefined) throw new FuncError("internal", "No certificate.");
  const { serialNumber, validFrom, validTo } = new X509Certificate(shown.raw);
  return {
    ...place,
    keyFingerprint,
    words: fingerprintWords(keyFingerprint),
    certificateSerial: serialNumber,
    notBeforeMs: Date.parse(validFrom),
    notAfterMs: Date.parse(validTo),
  };
}

/**
 * Looks at the host once more, and takes it among the minions, known by that key. Throws as `inspectRequest`, and
 * "wrong-identity" where it is another key by now, "conflict" where the name has another one here, or the CA is
 * being replaced, "denied" where the key was revoked.
 */
export async function acceptRequest(
  parts: OverlordParts,
  { keyFingerprint: compared, ...asked }: MinionPlace & { keyFingerprint: string },
  signal: AbortSignal,
): Promise<AcceptedMinion> {
  const { credentials, inventory } = parts;
  const inspected = await inspectRequest(parts, asked, signal);
  const { name, address, port, keyFingerprint, notBeforeMs, notAfterMs } = inspected;
  if (keyFingerprint !== compared) {
    throw new FuncError(
      "wrong-identity",
      `${name}: the host at ${address}:${port} has another key than the one that was compared ("${inspected.words}").`,
      "Find out who answers there.",
    );
  }
  const known = inventory.find(name);
  if (known && known.keyFingerprint !== keyFingerprint) {
    throw anotherKey(name);
  }
  const serial = inspected.certificateSerial;
  const record = { name, role: "minion", serial, keyFingerprint, notBeforeMs, notAfterMs } as const;
  const noted = { ...record, cnOnly: true } as const;
  const authority = await credentials.authority();
  authority.rotation.refuseOld(name);
  await authority.takeIn(noted);
  await parts.addMinion({ name, address, port, record: noted });
  parts.certmasterChanged();
  const { commonName, hash } = await credentials.ownSubject();
  return { minion: inventory.get(name), accessRule: `${commonName}-${hash} = *` };
}

function verifyCnOnly(certificate: PeerCertificate, peer: WirePeer): void {
  const at = `${peer.address}:${peer.port}`;
  const identity = cnOnlyIdentity(certificate);
  if (!identity) {
    const native = identityOf(certificate);
    throw new FuncError(
      "wrong-identity",
      native
        ? `${peer.name}: the host at ${at} presents a certificate of this version (${native.role} ${native.name}).`
        : `${peer.name}: the server at ${at} does not present a certificate with just a host's common name.`,
      native ? "Such a host joins by func add-host or a token." : "Check the address and the port.",
    );
  }
  if (identity.name === peer.name) return;
  throw new FuncError(
    "wrong-identity",
    `${peer.name}: the host at ${at} has a certificate for ${identity.name}.`,
    `Accept it as ${identity.name}, or correct the address.`,
  );
}
