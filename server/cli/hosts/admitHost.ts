import { FuncError, type ErrorReason } from "../../common/errors";
import { formatHostPort } from "../../common/hostPort";
import type { AddHostParts } from "./addHostParts";

/** Who is to answer, and where. */
export interface Admission {
  name: string;
  /** hex SHA-256 of its public key. */
  keyFingerprint: string;
  address: string;
  port: number;
  /** For messages. */
  host: string;
}

const NO_WAY: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  "unreachable",
  "refused",
  "timed-out",
  "name-not-found",
]);

/**
 * Has the overlord call the minion at its address, on this key and no other, and only then keep it there. Throws
 * FuncError that says what is in the way.
 */
export async function admitHost(
  { connection, steps, signal }: AddHostParts,
  { host, ...minion }: Admission,
): Promise<void> {
  const began = Date.now();
  await connection.request("certmaster/admit", minion, { signal }).catch((error: unknown) => {
    throw error instanceof FuncError ? explain(error, { host, ...minion }) : error;
  });
  const { name, address, port } = minion;
  const at = formatHostPort({ host: address, port });
  steps.done(`${name} answers at ${at} (${Date.now() - began} ms)`);
}

function explain(error: FuncError, { name, host, address, port }: Admission): FuncError {
  const { reason, message: why } = error;
  if (NO_WAY.has(reason)) {
    return new FuncError(
      "unreachable",
      `funcd runs on ${host} and answers on port ${port} there, but this machine cannot get to ${address}:${port}: ${why}`,
      `Let TCP port ${port} through to ${host} (its firewall, such as: firewall-cmd --add-port=${port}/tcp --permanent; or the cloud's security group). If the host is reached by another address than ${address}, name it with --address and add the host again.`,
    );
  }
  if (reason !== "wrong-identity") return error;
  return new FuncError(
    reason,
    `What answers at ${address}:${port} does not prove to be ${name} on ${host}: ${why}`,
    `If ${host} is reached by another address, name it with --address.`,
  );
}
