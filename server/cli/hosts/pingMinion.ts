import { setTimeout as sleep } from "node:timers/promises";
import type { OverlordConnection } from "../../client/connection";
import { followCall } from "../../client/followJob";
import { FuncError } from "../../common/errors";
import type { MinionResult } from "../../protocol/jobs";

const PING_TIMEOUT_MS = 10_000;
const TRIES = 3;
const RETRY_MS = 500;
/** What has taken so long will not get better by waiting. */
const LAST_RETRY_AFTER_MS = 5_000;

/** Calls test.ping, a few times where it fails. Gives undefined where it was answered, else the last failure. */
export async function pingMinion(
  connection: OverlordConnection,
  name: string,
  signal: AbortSignal,
): Promise<MinionResult | undefined> {
  const began = Date.now();
  for (let tries = 1; ; tries++) {
    const results: MinionResult[] = [];
    const params = { spec: name, module: "test", method: "ping", args: [] };
    await followCall(
      connection,
      { ...params, timeoutMs: PING_TIMEOUT_MS, background: true },
      { signal, onResult: (result) => void results.push(result) },
    );
    const [result] = results;
    if (result?.state === "succeeded") return undefined;
    if (tries >= TRIES || Date.now() - began > LAST_RETRY_AFTER_MS) return result;
    await sleep(RETRY_MS, undefined, { signal });
  }
}

/** Why a minion that runs, as its host says, does not answer the overlord. */
export function pingFailure(
  result: MinionResult | undefined,
  at: { name: string; host: string; address: string; port: number },
): FuncError {
  const { name, host, address, port } = at;
  const why = result?.error?.message ?? "no answer came";
  if (result?.state === "unreachable" || result?.state === "timed-out" || !result) {
    return new FuncError(
      "unreachable",
      `funcd runs on ${host} and answers on port ${port} there, but this machine cannot get to ${address}:${port}: ${why}`,
      `Let TCP port ${port} through to ${host} (its firewall, such as: firewall-cmd --add-port=${port}/tcp --permanent; or the cloud's security group). If the host is reached by another address than ${address}, name it with --address and add the host again. Then: func ${name} ping`,
    );
  }
  return new FuncError(
    "unavailable",
    `${name} does not do what it is asked for: ${why}`,
    result.error?.nextStep ?? `Try: func ${name} ping`,
  );
}
