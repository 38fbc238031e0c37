import { FuncError, messageOf } from "../common/errors";
import type { CertmasterList } from "../protocol/certmaster";
import { askAt, subOverlordPaths } from "./askAt";
import type { OverlordConnection } from "./connection";

/** What a sub-overlord said of its certificates. */
export interface SubOverlordList {
  path: string[];
  /** Absent where it could not be asked. */
  list?: CertmasterList;
  problem?: string;
}

const ASKED_AT_ONCE = 8;

/**
 * Asks each sub-overlord of the delegation map for its certificates and what waits there, for at most `timeoutMs`
 * altogether; in the map's order, from the top down. Nothing where there is no map.
 */
export async function waitingBelow(
  connection: Pick<OverlordConnection, "request">,
  timeoutMs: number,
): Promise<SubOverlordList[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const found = await pathsOfMap(connection, signal);
  const lists: SubOverlordList[] = found.map((path) => ({ path }));
  const rest = lists.values();
  const worker = async (): Promise<void> => {
    for (const one of rest) {
      try {
        one.list = await askAt(connection, one.path, "certmaster/list", {}, { signal });
      } catch (error) {
        one.problem = signal.aborted
          ? `It did not answer within ${timeoutMs / 1000} s.`
          : messageOf(error);
      }
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
  return lists;
}

async function pathsOfMap(
  connection: Pick<OverlordConnection, "request">,
  signal: AbortSignal,
): Promise<string[][]> {
  try {
    return subOverlordPaths((await connection.request("map/read", {}, { signal })).nodes);
  } catch (error) {
    // whoever builds or corrects it is told there
    if (error instanceof FuncError) return [];
    throw error;
  }
}
