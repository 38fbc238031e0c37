import { setTimeout as sleep } from "node:timers/promises";
import { FuncError } from "../common/errors";
import { parseMinionName } from "../common/minionName";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import { LIST_WANTED_FAULT } from "../pki/documents/revocationList";
import type { AdmitParams } from "../protocol/certmaster";
import type { MinionRecord } from "../protocol/minions";
import { parseAddress } from "../targets/inventory";
import { asRemoteError } from "../wire/remoteError";
import { RpcFault } from "../wire/rpcFault";
import type { WirePeer } from "../wire/wireClient";
import { pushRevocations } from "./pushRevocations";
import type { OverlordParts } from "./service";

const PING_TIMEOUT_MS = 10_000;
const TRIES = 3;
const RETRY_MS = 500;
/** What has taken so long will not get better by waiting. */
const LAST_RETRY_AFTER_MS = 5_000;

/**
 * Puts a minion that has a certificate into the inventory, or changes where it is reached, once it has answered
 * there on the key that is named; nothing changes otherwise. Throws FuncError "conflict" where the name does not
 * belong to that key, "unavailable" where the minion answers but does not do what it is asked for, and as calls do.
 */
export async function admitMinion(
  parts: OverlordParts,
  params: AdmitParams,
  signal: AbortSignal,
): Promise<MinionRecord> {
  const name = parseMinionName(params.name);
  const address = parseAddress(params.address);
  const { keyFingerprint, port } = params;
  const { inventory } = parts;
  checkHolder(parts, name, keyFingerprint);
  await answers(parts, { name, address, port, keyFingerprint }, signal);
  // it may have been revoked or replaced meanwhile
  const live = checkHolder(parts, name, keyFingerprint).liveMinion(name);
  const record = inventory.find(name);
  const known = [record?.certificateSerial, record?.renewing?.certificateSerial];
  if (live?.keyFingerprint === keyFingerprint && !known.includes(live.serial)) {
    await parts.addMinion({ name, address, port, record: live });
  } else if (record?.address !== address || record.port !== port) {
    await inventory.edit(name, { address, port });
  }
  inventory.sawOnline(name);
  return inventory.get(name);
}

/** Throws FuncError "conflict" where the name is another key's, or nobody's. */
function checkHolder(
  { credentials, inventory }: OverlordParts,
  name: string,
  keyFingerprint: string,
): CertificateAuthority {
  const authority = credentials.existingAuthority();
  const record = inventory.find(name);
  const holders = [
    authority?.liveMinion(name)?.keyFingerprint,
    record?.keyFingerprint,
    record?.renewing?.keyFingerprint,
  ];
  const isGood = authority?.revocationOf(keyFingerprint) === undefined;
  if (authority && isGood && holders.includes(keyFingerprint)) return authority;
  throw new FuncError("conflict", `${name} has no certificate on this key.`);
}

/** Calls test.ping, a few times where it fails. */
async function answers(parts: OverlordParts, peer: WirePeer, signal: AbortSignal): Promise<void> {
  const began = Date.now();
  for (let tries = 1; ; tries++) {
    try {
      await ping(parts, peer, signal);
      return;
    } catch (error) {
      if (tries >= TRIES || Date.now() - began > LAST_RETRY_AFTER_MS) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}

async function ping(parts: OverlordParts, peer: WirePeer, signal: AbortSignal): Promise<void> {
  const { connectTimeoutMs } = parts.configuration;
  const wire = await parts.credentials.tellingWire();
  const once = () =>
    wire.call(peer, "test.ping", [], { timeoutMs: PING_TIMEOUT_MS, connectTimeoutMs, signal });
  try {
    const answer = await once().catch(async (error: unknown) => {
      const authority = parts.credentials.existingAuthority();
      const isWanted = error instanceof RpcFault && error.code === LIST_WANTED_FAULT;
      if (!isWanted || !authority) throw error;
      await pushRevocations(
        { wire, peer, connectTimeoutMs },
        authority.revocationList(),
        authority,
      );
      return once();
    });
    const refusal = asRemoteError(answer);
    if (refusal) throw doesNot(peer, refusal.message);
  } catch (error) {
    throw error instanceof RpcFault ? doesNot(peer, error.faultString) : error;
  }
}

function doesNot({ name }: WirePeer, why: string): FuncError {
  return new FuncError("unavailable", `${name} does not do what it is asked for: ${why}`);
}
