import { FuncError } from "../common/errors";
import { globParts, minionGlob, type NamedMinion } from "../jobs/minionGlob";
import type { DelegationMapNode } from "../protocol/delegation";
import { isPattern } from "../targets/fnmatch";
import { nearestNames } from "../targets/nearestNames";
import type { Session } from "./session";

/**
 * For a glob on minions (as in `JobQuery`) by which no job was found: throws FuncError "no-match" where it means nobody
 * who is known here, by the inventory or the delegation map. Returns where it does, or where that cannot be learnt.
 */
export async function refuseUnknownMinion(session: Session, glob: string): Promise<void> {
  const known = await knownMinions(session);
  for (const part of known ? globParts(glob) : []) {
    const { means } = minionGlob(part);
    if (known?.some((minion) => means(minion))) continue;
    // a sub-overlord is both a minion here and in the map
    const names = new Set(known?.map(({ name }) => name));
    const near = isPattern(part) ? [] : nearestNames(part, [...names]);
    const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
    throw new FuncError(
      "no-match",
      `No job has a minion "${part}", and none that is known here is named so.${hint}`,
      'func "*" list_minions --delegate shows their names.',
    );
  }
}

async function knownMinions({ overlord }: Session): Promise<NamedMinion[] | undefined> {
  try {
    const own = await overlord.request("minions/list", {});
    const { nodes } = await overlord.request("map/read", {}).catch((error: unknown) => {
      if (error instanceof FuncError && error.reason === "not-found") return { nodes: [] };
      throw error;
    });
    return [...own.map(({ name }) => ({ name })), ...minionsBehind(nodes)];
  } catch {
    return undefined;
  }
}

function minionsBehind(map: readonly DelegationMapNode[]): NamedMinion[] {
  const minions: NamedMinion[] = [];
  const open = map.map((node) => ({ node, path: [node.name] }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, path } = next;
    minions.push({ name: node.name, path });
    for (const child of node.children) open.push({ node: child, path: [...path, child.name] });
  }
  return minions;
}
