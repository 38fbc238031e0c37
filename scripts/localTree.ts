import { join } from "node:path";
import { FuncError } from "../server/common/errors";

/** One overlord with the minions directly below it. */
export interface Site {
  /** As its funcd is called; "top" for the one above all. */
  name: string;
  /** Its data directory. */
  home: string;
  names: string[];
  /** Which of the minions have an overlord of their own, and its data directory. */
  subOverlords: Map<string, string>;
}

/** Each has a process, and so has the overlord of each that is none of the last tier. */
const MAX_OVERLORDS = 50;
const MAX_TIERS = 8;

/** "2x3": two, with three each. Throws FuncError "bad-argument". */
export function parseTree(text: string): number[] {
  const tiers = text.split("x").map(Number);
  const right = /^[1-9]\d{0,3}(?:x[1-9]\d{0,3}){1,7}$/.test(text) && tiers.length <= MAX_TIERS;
  if (!right) throw wrong(`"${text}" is no tree: write how many stand below each, such as 2x3.`);
  return tiers;
}

/** The number of minions of a fleet without tiers. Throws FuncError "bad-argument". */
export function parseSize(text: string): number[] {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw wrong(`"${text}" is no number of minions.`);
  return [Number(text)];
}

/** The overlords from the top down: mid1, mid2 ... with minion1, minion2 ... in the last tier. */
export function planTree(home: string, tiers: readonly number[], direct = 0): Site[] {
  const sites: Site[] = [];
  const count = { mid: 0, minion: 0 };
  let tier: Site[] = [{ name: "top", home, names: [], subOverlords: new Map() }];
  for (const [depth, width] of tiers.entries()) {
    const kind = depth === tiers.length - 1 ? "minion" : "mid";
    sites.push(...tier);
    if (sites.length > MAX_OVERLORDS) {
      throw wrong(`A tree on one machine has at most ${MAX_OVERLORDS} overlords.`);
    }
    tier = tier.flatMap((site) => {
      site.names = Array.from({ length: width }, () => `${kind}${++count[kind]}`);
      if (kind === "minion") return [];
      return site.names.map((name) => {
        const below = join(home, "sub-overlords", name);
        site.subOverlords.set(name, below);
        return { name, home: below, names: [], subOverlords: new Map<string, string>() };
      });
    });
  }
  for (let index = 0; index < direct; index++) sites[0]?.names.push(`minion${++count.minion}`);
  return sites;
}

function wrong(message: string): FuncError {
  return new FuncError("bad-argument", message);
}
