import type { HostState } from "../../extension/webviews/mapProtocol";
import type { MapModel } from "./mapModel";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export function minionCount(count: number): string {
  return count === 1 ? "1 minion" : `${count.toLocaleString()} minions`;
}

/** "09:00 today", "Thu 18:40", "3 May 2026, 18:40". */
export function timeWords(ms: number, nowMs = Date.now()): string {
  const date = new Date(ms);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date(nowMs).toDateString()) return `${time} today`;
  if (nowMs - ms < 6 * DAY_MS && ms < nowMs) {
    return `${date.toLocaleDateString([], { weekday: "short" })} ${time}`;
  }
  const day = date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
  return `${day}, ${time}`;
}

/** How a host stands, in a few words. */
export function stateWords({ kind, lastSeenMs }: HostState): string {
  const since = lastSeenMs === undefined ? "" : `, last seen ${timeWords(lastSeenMs)}`;
  switch (kind) {
    case "online":
      return `reachable${since}`;
    case "unreachable":
      return `unreachable${since}`;
    case "unknown":
      return "not called yet";
  }
}

export function runningWords(running: number): string {
  if (running === 0) return "nothing";
  return running === 1 ? "1 job" : `${running.toLocaleString()} jobs`;
}

/** "64 days left". */
export function certificateWords(endMs: number, nowMs = Date.now()): string {
  const left = endMs - nowMs;
  if (left <= 0) return `expired ${timeWords(endMs, nowMs)}`;
  const days = Math.floor(left / DAY_MS);
  if (days > 1) return `${days.toLocaleString()} days left`;
  const hours = Math.floor(left / (60 * MINUTE_MS));
  return hours > 1 ? `${hours} hours left` : "ends within the hour";
}

/** Names from this overlord on: "overlord › gw-lab › lab-04". */
export function pathWords(model: MapModel, places: readonly number[]): string {
  return places.map((place) => model.tree.nameOf(place)).join(" › ");
}

/** What a screen reader says of a host; it begins as its row in the list does. */
export function spokenHost(model: MapModel, place: number): string {
  const { tree } = model;
  const overlord = tree.isOverlord(place);
  const name = tree.nameOf(place);
  const parts = [overlord ? `${name} ${minionCount(tree.behind(place))}` : name];
  if (place === 0) return [...parts, "this overlord"].join(", ");
  const state = model.stateOf(place);
  parts.push(overlord ? "sub-overlord" : "minion", stateWords(state));
  if (state.running > 0) parts.push(`${runningWords(state.running)} running`);
  return parts.join(", ");
}

/** What a screen reader says when the selection moves in the drawing; the list says it by itself. */
export function spokenSelection(model: MapModel): string {
  return model.list || model.selected === 0 ? "" : spokenHost(model, model.selected);
}
