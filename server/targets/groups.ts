import { FuncError } from "../common/errors";
import type { EditGroupParams, GroupRecord } from "../protocol/groups";
import { fnmatch } from "./fnmatch";
import type { GroupsFile } from "./groupsFile";
import { parseGroupName, parseHosts, type GroupsText } from "./groupsText";
import { nearestNames } from "./nearestNames";

/** All groups, sorted by name. Throws what GroupsFile.groups throws. */
export async function listGroups(file: GroupsFile): Promise<GroupRecord[]> {
  return [...(await file.groups())]
    .map(([name, hosts]) => ({ name, hosts: [...hosts] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Makes, changes or deletes one group, wholly or not at all. Throws FuncError "bad-argument" for names
 * that cannot be, "not-found" where the group or a host to remove is not there, and what GroupsFile throws.
 */
export async function editGroup(file: GroupsFile, params: EditGroupParams): Promise<void> {
  const name = parseGroupName(params.name);
  const add = parseHosts(params.add ?? []);
  for (const host of add) checkBeginning(host);
  const remove = parseHosts(params.remove ?? []);
  if (params.delete && add.length + remove.length > 0) {
    throw new FuncError("bad-argument", `A group that is deleted has no hosts to add or remove.`);
  }
  const both = add.find((host) => remove.includes(host));
  if (both !== undefined) {
    throw new FuncError("bad-argument", `"${both}" is both to be added and to be removed.`);
  }
  await file.edit((text) => {
    if (params.delete || remove.length > 0) {
      const hosts = hostsOfGroup(text.groups(), name);
      for (const host of remove) checkMember(host, name, hosts);
    }
    if (params.delete) {
      text.delete(name);
      return;
    }
    text.remove(name, new Set(remove));
    if (add.length > 0 || remove.length === 0) text.add(name, add);
  });
}

/** More likely an option in the wrong place; one that a file has already may be removed. */
function checkBeginning(host: string): void {
  if (!host.startsWith("-")) return;
  throw new FuncError(
    "bad-argument",
    `"${host}" can match no minion: no name begins with "-".`,
    'Write names and globs; options of the command line stand in front of "--".',
  );
}

/** Throws FuncError "not-found" with the nearest names of groups. */
function hostsOfGroup(groups: ReturnType<GroupsText["groups"]>, name: string): string[] {
  const hosts = groups.get(name);
  if (hosts) return hosts;
  throw new FuncError(
    "not-found",
    `There is no group "${name}".${didYouMean(name, [...groups.keys()])}`,
  );
}

function checkMember(host: string, group: string, hosts: readonly string[]): void {
  if (hosts.includes(host)) return;
  const pattern = hosts.find((entry) => fnmatch(entry)(host));
  throw new FuncError(
    "not-found",
    pattern === undefined
      ? `The group "${group}" has no "${host}".${didYouMean(host, hosts)}`
      : `"${host}" is in the group "${group}" by the glob "${pattern}" only.`,
    "Nothing has been removed.",
  );
}

function didYouMean(name: string, names: readonly string[]): string {
  const nearest = nearestNames(name, names);
  return nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : "";
}
