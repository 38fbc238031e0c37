import { fnmatch, isPattern } from "../targets/fnmatch";

/** A minion of a job; `path` are the hops to it and its own name, where it stands behind sub-overlords. */
export interface NamedMinion {
  name: string;
  path?: readonly string[];
}

/** Which minions of jobs are meant. */
export interface MinionGlob {
  /** False where no minion of that name is meant, whatever its path. */
  mayMean: (name: string) => boolean;
  means: (minion: NamedMinion) => boolean;
  /** What `mayMean` says is not all: the path counts. */
  needsPath: boolean;
}

/**
 * A glob on names, several separated by ";". "web*@mid1" and "web*@mid1/mid3" mean those behind that sub-overlord, by the
 * one next to them or by the whole way; a name that has an "@" itself is meant as it is, too. "web?" also means
 * "web1@mid1".
 */
export function minionGlob(text: string): MinionGlob {
  const parts = globParts(text).map(onePart);
  return {
    mayMean: (name) => parts.some((part) => part.mayMean(name)),
    means: (minion) => parts.some((part) => part.means(minion)),
    needsPath: parts.some((part) => part.needsPath),
  };
}

/** The globs in it; names have no ";". */
export function globParts(text: string): string[] {
  return text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function onePart(glob: string): MinionGlob {
  const matches = fnmatch(glob);
  const at = glob.lastIndexOf("@");
  // a pattern means several anyway; a name that several have, written without the one before it, would mean any of them
  const isName =
    at <= 0 && isPattern(glob)
      ? (name: string): boolean => matches(name) || matches(ownName(name))
      : matches;
  if (at <= 0) return { mayMean: isName, means: ({ name }) => isName(name), needsPath: false };
  const isOwn = fnmatch(glob.slice(0, at));
  const hopGlob = glob.slice(at + 1);
  const isHop = fnmatch(hopGlob);
  const isLiteral = !isPattern(glob);
  return {
    needsPath: true,
    mayMean: (name) => isName(name) || isOwn(ownName(name)),
    means: ({ name, path = [] }) => {
      const hops = path.slice(0, -1);
      const nearest = hops.at(-1);
      if (nearest === undefined) return isName(name);
      if (isLiteral && isName(name)) return true;
      // a star would match a "/" too: without one, the nearest alone is meant
      const hop = hopGlob.includes("/") ? hops.join("/") : nearest;
      return isOwn(path.at(-1) ?? "") && isHop(hop);
    },
  };
}

/** Of "web1@mid1", as one of several hosts with that name is called. */
function ownName(name: string): string {
  return name.split("@", 1)[0] ?? name;
}
