import { isIPv6 } from "node:net";
import { FuncError } from "../../common/errors";
import { readCsr } from "../../pki/certificates/csr";
import { keyFingerprint } from "../../pki/certificates/identity";
import type { CertificateRecord, SignedCertificate } from "../../protocol/certmaster";
import type { MinionRecord } from "../../protocol/minions";
import type { AddHostParts } from "./addHostParts";
import type { SshDestination } from "./destination";
import type { AddHost } from "./hostsCommands";
import type { HostSetup } from "./hostSetup";
import type { InstalledState } from "./installedState";

/** A certificate that ends so soon is replaced at once. */
const SHORT_LIFE_MS = 7 * 24 * 60 * 60_000;

export interface Certifying {
  /** As the user gave it. */
  name: string;
  /** Where the overlord connects to. */
  reach: { address: string; port: number };
  /** Its certificate, unless that was revoked, is proven. */
  state: InstalledState;
  record: MinionRecord | undefined;
  /** Of this overlord's CA. */
  certificates: readonly CertificateRecord[];
  destination: SshDestination;
}

/** Gets the host a certificate where it needs one. Gives the key that it is on, and whether it is a new one. */
export async function certifyHost(
  parts: AddHostParts,
  setup: HostSetup,
  params: AddHost,
  certifying: Certifying,
): Promise<{ keyFingerprint: string; certified: boolean }> {
  const { name, reach, state, record } = certifying;
  if (state.enrolled && !needsCertificate(params, state, record)) {
    return { keyFingerprint: state.enrolled.keyFingerprint, certified: false };
  }
  const { connection, steps, signal } = parts;
  const listen = `${isIPv6(reach.address) ? "[::]" : "0.0.0.0"}:${reach.port}`;
  const holders = holdersOf(certifying);
  let agreed = false;
  const sign = async (discardKey: boolean): Promise<SignedCertificate> => {
    if (discardKey) steps.remark("Its old key was revoked: it makes a new one.");
    const freePort = state.running ? undefined : reach.port;
    const csr = await setup.request({ name, listen, discardKey, freePort });
    const isHolder = await checkKey(setup, certifying, csr, discardKey, holders);
    const isTaken = holders.size > (isHolder ? 1 : 0);
    if (isTaken && !isHolder && !params.replace) throw takenName(certifying);
    if (isTaken && params.replace && !agreed) {
      await parts.agreeToReplace(name, certifying.destination.text);
      agreed = true;
    }
    const wanted = { csr, name, role: "minion" as const, replace: agreed };
    return connection.request("certmaster/sign", wanted, { signal }).catch((error: unknown) => {
      throw inWordsOf(error, certifying);
    });
  };
  const signed = await sign(state.revoked).catch((error: unknown) => {
    // an attempt that ended in the middle left a key, which was revoked since
    const leftKey = !state.enrolled && error instanceof FuncError && error.reason === "denied";
    if (!leftKey) throw error;
    return sign(true);
  });
  const { serial, keyFingerprint: key, notAfterMs } = signed.record;
  try {
    await setup.install(signed, listen);
  } catch (error) {
    // the name of a minion that never was is free again
    if (!record && !holders.has(key)) {
      const reason = "never installed";
      const revoke = { serials: [serial], reason };
      await connection.request("certmaster/revoke", revoke).catch(() => undefined);
    }
    throw error;
  }
  const until = new Date(notAfterMs).toISOString().slice(0, 10);
  steps.done(`made its key there, and signed its certificate as ${name} (until ${until})`);
  return { keyFingerprint: key, certified: true };
}

/**
 * Whether the key in a request of the host is one that the name belongs to; the host has proven by then that it has
 * that one. Throws FuncError "wrong-identity" where it does not.
 */
async function checkKey(
  setup: HostSetup,
  { name, state, destination }: Certifying,
  csr: string,
  discardKey: boolean,
  holders: ReadonlySet<string>,
): Promise<boolean> {
  const { publicKey } = readCsr(csr, "minion");
  const key = keyFingerprint(publicKey);
  const proven = discardKey ? undefined : state.enrolled?.keyFingerprint;
  if (proven !== undefined && key !== proven) {
    throw new FuncError(
      "wrong-identity",
      `${destination.text} has another key than the one that it showed before as ${name}: nothing is signed.`,
      "Somebody changes its files at this moment, or it passes itself off as another. Find out which.",
    );
  }
  if (!holders.has(key)) return false;
  // requests can be overheard and shown again
  if (proven === undefined) await setup.prove({ name, publicKey });
  return true;
}

/** The keys (hex SHA-256) that the name belongs to. */
function holdersOf({ name, record, certificates }: Certifying): Set<string> {
  const live = certificates.filter(
    (one) =>
      one.role === "minion" &&
      one.name === name &&
      one.revoked === undefined &&
      one.notAfterMs > Date.now(),
  );
  const keys = [record, record?.renewing, ...live].map((one) => one?.keyFingerprint);
  return new Set(keys.filter((key) => key !== undefined));
}

function needsCertificate(
  params: AddHost,
  { enrolled, revoked, listenPort }: InstalledState,
  record: MinionRecord | undefined,
): boolean {
  if (!enrolled || revoked || !record) return true;
  if (params.port !== undefined && params.port !== listenPort) return true;
  return enrolled.notAfterMs < Date.now() + SHORT_LIFE_MS;
}

/** A name that is taken has another remedy here than elsewhere. */
function inWordsOf(error: unknown, certifying: Certifying): unknown {
  if (!(error instanceof FuncError) || error.reason !== "conflict") return error;
  return new FuncError("conflict", error.message, takenName(certifying).nextStep);
}

function takenName({ name, destination: { text } }: Certifying): FuncError {
  return new FuncError(
    "conflict",
    `There is already a minion ${name}, with another key than ${text} has.`,
    `If ${text} takes the place of the old ${name}: add it again with --name ${name} --replace, which revokes the old certificate. Otherwise give it another name with --name.`,
  );
}
