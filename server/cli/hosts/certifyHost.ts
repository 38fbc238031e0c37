import { isIPv6 } from "node:net";
import { FuncError } from "../../common/errors";
import { formatHostPort } from "../../pki/hostPort";
import type { SignedCertificate } from "../../protocol/certmaster";
import type { MinionRecord } from "../../protocol/minions";
import type { AddHostParts } from "./addHostParts";
import type { SshDestination } from "./destination";
import type { AddHost } from "./hostsCommands";
import type { HostSetup } from "./hostSetup";
import type { InstalledState } from "./installedState";

/** A certificate that ends so soon is replaced at once. */
const SHORT_LIFE_MS = 7 * 24 * 60 * 60_000;

export interface Certifying {
  name: string;
  /** Where the overlord connects to. */
  reach: { address: string; port: number };
  state: InstalledState;
  record: MinionRecord | undefined;
  destination: SshDestination;
}

/** Gets the host a certificate where it needs one; answers whether it did. */
export async function certifyHost(
  { connection, steps, signal }: AddHostParts,
  setup: HostSetup,
  params: AddHost,
  { name, reach, state, record, destination }: Certifying,
): Promise<boolean> {
  const { address, port } = reach;
  if (!needsCertificate(params, state, record)) {
    if (record?.address !== address || record.port !== port) {
      await connection.request("minions/edit", { name, address, port }, { signal });
      steps.done(`is reached at ${formatHostPort({ host: address, port })} from now on`);
    }
    return false;
  }
  const listen = `${isIPv6(address) ? "[::]" : "0.0.0.0"}:${port}`;
  const sign = async (discardKey: boolean): Promise<SignedCertificate> => {
    if (discardKey) steps.remark("Its old key was revoked: it makes a new one.");
    const freePort = state.running ? undefined : port;
    const csr = await setup.request({ name, listen, discardKey, freePort });
    const wanted = { csr, name, role: "minion" as const, address, port, replace: params.replace };
    return connection.request("certmaster/sign", wanted, { signal }).catch((error: unknown) => {
      throw inWordsOf(error, name, destination);
    });
  };
  const signed = await sign(state.revoked).catch((error: unknown) => {
    // an attempt that ended in the middle left a key, which was revoked since
    const leftKey = !state.enrolled && error instanceof FuncError && error.reason === "denied";
    if (!leftKey) throw error;
    return sign(true);
  });
  try {
    await setup.install(signed, listen);
  } catch (error) {
    // a minion that never was is not to stand among the others
    if (!record)
      await connection.request("minions/forget", { names: [name] }).catch(() => undefined);
    throw error;
  }
  const until = new Date(signed.record.notAfterMs).toISOString().slice(0, 10);
  steps.done(`made its key there, and signed its certificate as ${name} (until ${until})`);
  return true;
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
function inWordsOf(error: unknown, name: string, { text }: SshDestination): unknown {
  if (!(error instanceof FuncError) || error.reason !== "conflict") return error;
  return new FuncError(
    "conflict",
    error.message,
    `If ${text} takes the place of the old ${name}: add it again with --replace, which revokes the old certificate. Otherwise give it another name with --name.`,
  );
}
