import type { KeyObject } from "node:crypto";
import type { JobRun } from "../jobs/engine/jobRun";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { AboveTarget } from "../jobs/store/storeTypes";
import { signCall } from "../pki/documents/delegatedCall";
import { TargetTree } from "../pki/documents/targetTree";
import type { SignedCall } from "../protocol/delegation";
import { toJson } from "../wire/jsonValue";

const DAY_MS = 24 * 60 * 60_000;
/** Hosts take none that is good for longer than a month. */
const LONGEST_MS = 30 * DAY_MS;

/** Who this overlord is to hosts behind others. */
export interface Originator {
  name: string;
  key: KeyObject;
}

/** A signed call, and the places that the minions of a run have in it. */
export interface SignedTargets {
  /** Undefined where its arguments were secret, and are gone with the process that had them. */
  call: SignedCall | undefined;
  /** By the minion's name in the job. */
  targets: ReadonlyMap<string, AboveTarget>;
}

/**
 * What goes to the hops: the call of the overlord above as it came, or else one that this overlord signs. Throws what
 * `originator` throws.
 */
export async function signedTargets(
  run: JobRun,
  originator: () => Promise<Originator>,
): Promise<SignedTargets> {
  const { above, behind, job, record, method } = run;
  if (above) return { call: above.call, targets: new Map(Object.entries(above.targets)) };
  const { name, key } = await originator();
  const tree = new TargetTree(behind.map((minion) => treeTarget(run, minion)));
  const issuedAtMs = Date.now();
  const { timeoutMs = 0, deliveryLimitMs = 0 } = record;
  const isGone = run.secret && run.past.size > 0;
  const call = isGone
    ? undefined
    : signCall(
        {
          originator: name,
          job: job.id,
          method,
          args: run.params.map(toJson),
          async: record.async,
          issuedAtMs,
          validUntilMs: issuedAtMs + Math.min(LONGEST_MS, DAY_MS + timeoutMs + deliveryLimitMs),
          root: tree.root,
          count: tree.count,
        },
        key,
      );
  const targets = behind.map((minion, index): [string, AboveTarget] => {
    const { callId, identity } = treeTarget(run, minion);
    const proof = tree.proofOf(index);
    return [minion.name, { callId, ...(identity !== undefined && { identity }), proof }];
  });
  return { call, targets: new Map(targets) };
}

function treeTarget({ job }: JobRun, { name, path, identity }: MinionBehind) {
  return {
    name: path.at(-1) ?? name,
    callId: job.callId(name),
    ...(identity !== undefined && { identity }),
  };
}
