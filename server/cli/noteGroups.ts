import type { OverlordConnection } from "../client/connection";
import { firstNames } from "./firstNames";
import type { Session } from "./session";

/** So many groups are named. */
const MAX_GROUPS = 5;
/** So many hosts stand in the command for one of them. */
const MAX_HOSTS = 10;

/**
 * Says which groups still have hosts that are no minions any more, and how to take them out: until then
 * using such a group is an error. Never throws.
 */
export async function noteGroups(
  session: Session,
  connection: OverlordConnection,
  forgotten: readonly string[],
): Promise<void> {
  let groups;
  try {
    groups = await connection.request("groups/list", {});
  } catch {
    return; // a damaged file is told to whoever uses a group
  }
  const gone = new Set(forgotten.map((name) => name.toLowerCase()));
  const left = groups
    .map(({ name, hosts }) => ({ name, hosts: hosts.filter((host) => gone.has(host)) }))
    .filter(({ hosts }) => hosts.length > 0);
  for (const { name, hosts } of left.slice(0, MAX_GROUPS)) {
    session.out.note(
      `The group ${name} still has ${firstNames(hosts)} and cannot be used before that is taken out: ` +
        `func group remove ${name} ${hosts.slice(0, MAX_HOSTS).join(" ")}${hosts.length > MAX_HOSTS ? " ..." : ""}\n`,
    );
  }
  const more = left.length - MAX_GROUPS;
  if (more > 0) session.out.note(`${more} more groups have them too: func group list\n`);
}
