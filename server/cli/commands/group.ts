import type { OverlordConnection } from "../../client/connection";
import type { GroupRecord } from "../../protocol/groups";
import { parseHosts } from "../../targets/groupsText";
import { unknownHosts } from "../../targets/unknownHosts";
import { EXIT_OK } from "../exitStatus";
import { firstNames } from "../firstNames";
import { renderTable } from "../render";
import type { Session } from "../session";

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
  const { unknown, behind } = await placesOf(connection, strangers);
  for (const [hop, hosts] of behind) {
    const stand = hosts.length === 1 ? "stands" : "stand";
    const them = hosts.length === 1 ? "it" : "them";
    session.out.note(
      `${firstNames(hosts)} ${stand} behind ${hop}: calls of the group reach ${them} with --delegate, ` +
        "and are an error without.\n",
    );
  }
  if (unknown.length > 0) {
    const are = unknown.length === 1 ? "is no minion" : "are no minions";
    session.out.note(
      `${firstNames(unknown)} ${are} yet: until then, using the group is an error.\n`,
    );
  }
  return EXIT_OK;
}

/** Which of the names the delegation map has behind which sub-overlord; without a map none. */
async function placesOf(
  connection: OverlordConnection,
  names: readonly string[],
): Promise<{ unknown: string[]; behind: Map<string, string[]> }> {
  const behind = new Map<string, string[]>();
  if (names.length === 0) return { unknown: [], behind };
  const { paths, strangers = [] } = await connection
    .request("map/paths", { names: [...names] })
    .catch(() => ({ paths: [], strangers: [] })); // no map, or a name of several hosts
  const unknown = names.filter((name, index) => {
    const path = paths[index] ?? [];
    if (path.length < 2 || strangers.includes(path[0] ?? "")) return true;
    const hop = path.slice(0, -1).join("/");
    behind.set(hop, [...(behind.get(hop) ?? []), name]);
    return false;
  });
  return { unknown, behind };
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
