import { waitingBelow } from "../client/waitingBelow";
import type { OverlordConnection } from "../client/connection";
import { firstNames } from "./firstNames";
import type { Session } from "./session";

/** Of sub-overlords that take longer nothing is known. */
const BELOW_TIMEOUT_MS = 4_000;

/** Certificate requests that wait at sub-overlords, or those of one host. */
export interface RequestsBelow {
  /** How many at each path such as "mid1/mid3" where any wait. */
  waiting: { where: string; count: number }[];
  /** Paths of those that could not be asked. */
  unasked: string[];
}

/** Asks the sub-overlords of the map for a few seconds; of all requests, or those of one host. */
export async function requestsBelow(
  connection: Pick<OverlordConnection, "request">,
  name?: string,
): Promise<RequestsBelow> {
  const below: RequestsBelow = { waiting: [], unasked: [] };
  for (const { path, list } of await waitingBelow(connection, BELOW_TIMEOUT_MS)) {
    const where = path.join("/");
    if (!list) {
      below.unasked.push(where);
      continue;
    }
    const meant = list.waiting.filter((request) => name === undefined || request.name === name);
    if (meant.length > 0) below.waiting.push({ where, count: meant.length });
  }
  return below;
}

/** Says at which sub-overlords how many wait, and where nobody knows. */
export function noteRequestsBelow(session: Session, { waiting, unasked }: RequestsBelow): void {
  for (const { where, count } of waiting) {
    const what = count === 1 ? "1 request waits" : `${count} requests wait`;
    session.out.note(`${what} at ${where}: func ca waiting --at ${where}\n`);
  }
  if (unasked.length > 0) session.out.note(`${unaskedText(unasked)}\n`);
}

/** `What waits at mid1, mid2 is not known: they could not be asked within 4 s.` */
export function unaskedText(unasked: readonly string[]): string {
  const who = unasked.length === 1 ? "it" : "they";
  return `What waits at ${firstNames(unasked)} is not known: ${who} could not be asked within ${BELOW_TIMEOUT_MS / 1_000} s.`;
}
