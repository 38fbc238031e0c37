import type { OverlordConnection } from "../../client/connection";
import { FuncError } from "../../common/errors";
import type { GroupRecord } from "../../protocol/groups";
import { parseHosts } from "../../targets/groupsText";
import { unknownHosts } from "../../targets/unknownHosts";
import { EXIT_OK } from "../exitStatus";
import { firstNames } from "../firstNames";
import { renderTable } from "../render";
import type { Session } from "../session";

/** So many names of several hosts are told of. */
const MAX_AMBIGUOUS = 10;

/** `func group [list]`. */
export async function groupList(session: Session): Promise<number> {
  const connection = await session.connect();
  const groups = await connection.request("groups/list", {});
  show(session, groups);
  if (groups.length === 0) session.out.note("No groups yet: func group add GROUP HOST...\n");
  return EXIT_OK;
}

/** `func group add GROUP HOST...`: shows the group as it is then. */
export async function groupAdd(session: Session, name: string, add: string[]): Promise<number> {
  const connection = await session.connect();
  const groups = await connection.request("groups/edit", { name, add });
  show(session, only(groups, name));
  const minions = await connection.request("minions/list", {});
  const strangers = unknownHosts(parseHosts(add), new Set(minions.map((minion) => minion.name)));
  const { unknown, behind, ambiguous } = await placesOf(connection, strangers);
  for (const [hop, hosts] of behind) {
    const stand = hosts.length === 1 ? "stands" : "stand";
    const them = hosts.length === 1 ? "it" : "them";
    session.out.note(
      `${firstNames(hosts)} ${stand} behind ${hop}: calls of the group reach ${them} with --delegate, ` +
        "and are an error without.\n",
    );
  }
  for (const message of ambiguous) {
    session.out.note(`${message} Until one of them is named so, using the group is an error.\n`);
  }
  if (unknown.length > 0) {
    const are = unknown.length === 1 ? "is no minion" : "are no minions";
    session.out.note(
      `${firstNames(unknown)} ${are} yet: until then, using the group is an error.\n`,
    );
  }
  return EXIT_OK;
}

interface Places {
  unknown: string[];
  /** By the way to them. */
  behind: Map<string, string[]>;
  /** What is said of names that several hosts have. */
  ambiguous: string[];
}

/** Which of the names the delegation map has behind which sub-overlord; without a map none. */
async function placesOf(connection: OverlordConnection, names: readonly string[]): Promise<Places> {
  const found: Places = { unknown: [], behind: new Map(), ambiguous: [] };
  // together it is one answer for all of them
  const paths = await waysTo(connection, names).catch(() => undefined);
  for (const [index, name] of names.entries()) {
    try {
      const hop = paths ? paths[index] : (await waysTo(connection, [name]))[0];
      if (hop === undefined) found.unknown.push(name);
      else found.behind.set(hop, [...(found.behind.get(hop) ?? []), name]);
    } catch (error) {
      if (!(error instanceof FuncError) || error.reason !== "conflict") found.unknown.push(name);
      else if (found.ambiguous.length < MAX_AMBIGUOUS) found.ambiguous.push(error.message);
    }
  }
  return found;
}

/** Over whom the map has each of them behind others; undefined where it has not. Throws as the request does. */
async function waysTo(
  connection: OverlordConnection,
  names: readonly string[],
): Promise<(string | undefined)[]> {
  if (names.length === 0) return [];
  const { paths, strangers = [] } = await connection.request("map/paths", { names: [...names] });
  return paths.map((path) => {
    if (!path || path.length < 2 || strangers.includes(path[0] ?? "")) return undefined;
    return path.slice(0, -1).join("/");
  });
}

/** `func group remove GROUP [HOST...]`: without hosts, the whole group. */
export async function groupRemove(
  session: Session,
  name: string,
  remove: string[],
): Promise<number> {
  const connection = await session.connect();
  const params = remove.length > 0 ? { name, remove } : { name, delete: true };
  const groups = await connection.request("groups/edit", params);
  show(session, only(groups, name));
  if (remove.length === 0) session.out.note(`The group ${name.toLowerCase()} is deleted.\n`);
  return EXIT_OK;
}

function only(groups: GroupRecord[], name: string): GroupRecord[] {
  const wanted = name.trim().toLowerCase();
  return groups.filter((group) => group.name === wanted);
}

function show(session: Session, groups: GroupRecord[]): void {
  session.out.result(
    session.options.json
      ? `${JSON.stringify(groups)}\n`
      : renderTable(groups.map(({ name, hosts }) => [name, hosts.join(", ") || "(no hosts)"])),
  );
}
