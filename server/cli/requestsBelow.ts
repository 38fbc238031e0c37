import { waitingBelow } from "../client/waitingBelow";
import type { OverlordConnection } from "../client/connection";
import type { Session } from "./session";

/** Sub-overlords that take longer are left out. */
const BELOW_TIMEOUT_MS = 4_000;

/** Certificate requests that wait at sub-overlords: how many at each path such as "mid1/mid3", or of one host. */
export interface RequestsBelow {
  where: string;
  count: number;
}

/** Asks the sub-overlords of the map for a few seconds; of all requests, or those of one host. */
export async function requestsBelow(
  connection: Pick<OverlordConnection, "request">,
  name?: string,
): Promise<RequestsBelow[]> {
  const lists = await waitingBelow(connection, BELOW_TIMEOUT_MS);
  return lists.flatMap(({ path, list }) => {
    const waiting = list?.waiting.filter((request) => name === undefined || request.name === name);
    return waiting && waiting.length > 0 ? [{ where: path.join("/"), count: waiting.length }] : [];
  });
}

/** Says at which sub-overlords how many wait. */
export function noteRequestsBelow(session: Session, below: readonly RequestsBelow[]): void {
  for (const { where, count } of below) {
    const what = count === 1 ? "1 request waits" : `${count} requests wait`;
    session.out.note(`${what} at ${where}: func ca waiting --at ${where}\n`);
  }
}
