import { utcTime } from "../common/utcTime";
import type { MapBefore } from "../protocol/delegation";
import type { ProbedHost } from "./mapBelow";
import type { SeenBehind } from "./seenHosts";

/** What a map is made for, and of. */
export interface NotAskedOptions {
  /** Leaves out who is away, with all behind. */
  onlyAlive: boolean;
  /** The last map stays in any case. */
  append: boolean;
  /** What the last map is. */
  lastMap: MapBefore;
  /** Who was seen behind the host at the path, whatever the last map has. */
  seenBehind: (path: readonly string[]) => SeenBehind;
}

/**
 * What became in the map of a host that could not be asked, and why. `before`: how many hosts the last map has behind
 * it; undefined where it has not even the host. Undefined where only those that are alive are wanted, and one is away
 * that has nobody behind it.
 */
export function notAskedText(
  { alive, message, nextStep }: ProbedHost,
  path: readonly string[],
  before: number | undefined,
  { onlyAlive, append, lastMap, seenBehind }: NotAskedOptions,
): string | undefined {
  const behind = before ?? 0;
  const seen = seenBehind(path);
  const isOut = onlyAlive && alive !== true;
  if (isOut && alive === false && behind + seen.hosts === 0) return undefined;
  const hop = path.slice(0, -1).join("/");
  const step = nextStep !== undefined && hop !== "" ? `At ${hop}: ${nextStep}` : nextStep;
  const why = [message, step].filter((text) => text !== undefined && text !== "");
  const stays = append && before !== undefined;
  if (behind > 0 && (append || !onlyAlive)) {
    return [keptText(behind, seen, lastMap), ...why].join(" ");
  }
  if (isOut && !stays) {
    const state = alive === false ? "It is away: left out" : "It could not be asked: left out";
    return [`${state}${leftText(behind, seen)}.`, ...why].join(" ");
  }
  if (behind > 0) {
    return [
      behind === 1
        ? "The host behind it is left out."
        : `The ${behind} hosts behind it are left out.`,
      ...why,
    ].join(" ");
  }
  if (seen.hosts === 0) return why.join(" ");
  const isNew = before === undefined && (lastMap === "good" || lastMap === "last-good");
  const reason = isNew ? "since the last one lacks it" : NO_HOSTS[lastMap];
  const state = `It stands in the map without hosts, ${reason}; ${seenText(seen)}.`;
  return [state, ...why].join(" ");
}

const NO_HOSTS: Readonly<Record<MapBefore, string>> = {
  good: "as in the last map",
  "last-good": "as in the last good map",
  damaged: "since the map before was damaged",
  none: "since there was no map before",
};

function keptText(kept: number, seen: SeenBehind, lastMap: MapBefore): string {
  const map = lastMap === "last-good" ? "last good map" : "last map";
  const who =
    kept === 1
      ? `The host behind it is the one of the ${map}`
      : `The ${kept} hosts behind it are those of the ${map}`;
  return seen.hosts > kept ? `${who}; ${seenText(seen)}.` : `${who}.`;
}

function leftText(behind: number, seen: SeenBehind): string {
  if (behind > 0) return `, with ${hostsText(behind)} behind it`;
  return seen.hosts > 0 ? `; ${seenText(seen)}` : "";
}

/** "3 hosts were seen behind it, last on 2026-01-31 12:00 UTC". */
function seenText({ hosts, atMs }: SeenBehind): string {
  const last = atMs === undefined ? "" : `, last on ${utcTime(atMs)}`;
  return `${hostsText(hosts)} ${hosts === 1 ? "was" : "were"} seen behind it${last}`;
}

function hostsText(count: number): string {
  return count === 1 ? "1 host" : `${count} hosts`;
}
