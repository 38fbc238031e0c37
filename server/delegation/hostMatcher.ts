import { minionGlob, type NamedMinion } from "../jobs/minionGlob";
import { isPattern } from "../targets/fnmatch";
import type { Groups } from "../targets/targetSpec";
import { nameKey } from "./delegationMap";

/** Whether a host is meant: by its name, its own name where that is another, and the way to it. */
export type HostMatcher = (host: NamedMinion) => boolean;

/** The parts of a target expression. */
export function partsOf(expression: string): string[] {
  const parts = expression.split(";").map((part) => part.trim());
  return parts.filter((part) => part !== "");
}

/** What any of the parts of target expressions means, wherever it stands; unlike a call it refuses nothing. */
export function hostMatcher(parts: readonly string[], groups: Groups): HostMatcher {
  const names = new Set<string>();
  const others: HostMatcher[] = [];
  for (const part of parts) {
    if (part.startsWith("@")) others.push(groupMatcher(part, groups));
    else if (isPattern(part) || part.includes("@")) others.push(minionGlob(part).means);
    else names.add(nameKey(part));
  }
  return (host) => names.has(host.name) || others.some((means) => means(host));
}

function groupMatcher(part: string, groups: Groups): HostMatcher {
  const colon = part.indexOf(":");
  const group = part.slice(1, colon < 0 ? undefined : colon).trim();
  const isMember = hostMatcher(groups.get(nameKey(group)) ?? [], new Map());
  if (colon < 0) return isMember;
  const fits = hostMatcher([part.slice(colon + 1).trim()], new Map());
  return (host) => isMember(host) && fits(host);
}
