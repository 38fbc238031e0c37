import type { OverlordConnection } from "../client/connection";
import { FuncError } from "../common/errors";

/** Hosts by the names that were given; of more than this, the others are not looked for. */
const MAX_NAMES = 100;

/**
 * Runs what is done where a host's certificate was signed. Of names that are unknown here and stand behind a
 * sub-overlord, it throws "not-found" with the next step to run the `command` there, instead of what would help with a
 * call.
 */
export async function atItsOverlord<Result>(
  connection: Pick<OverlordConnection, "request">,
  names: readonly string[],
  command: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FuncError) || !["not-found", "no-match"].includes(error.reason)) {
      throw error;
    }
    const [found] = await behind(connection, names.slice(0, MAX_NAMES));
    if (!found) throw error;
    const { name, path } = found;
    const hop = path.at(-2) ?? "";
    const step = `${name} stands behind ${path.slice(0, -1).join("/")}, whose overlord signed for it: run "${command} ${name}" on ${hop}.`;
    throw new FuncError("not-found", error.message, step);
  }
}

/** Those that stand behind a sub-overlord; none where there is no map that can be read. */
async function behind(
  connection: Pick<OverlordConnection, "request">,
  names: readonly string[],
): Promise<{ name: string; path: string[] }[]> {
  try {
    const known = await connection.request("minions/list", {});
    const own = new Set(known.map(({ name }) => name));
    const strange = names.filter((name) => !own.has(name));
    const { paths } = await connection.request("map/paths", { names: strange });
    return strange.flatMap((name, at) => {
      const path = paths[at];
      return path && path.length > 1 ? [{ name, path }] : [];
    });
  } catch (error) {
    if (error instanceof FuncError) return [];
    throw error;
  }
}
