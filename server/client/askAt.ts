import type { DelegationMapNode, RequestAt } from "../protocol/delegation";
import type { OverlordRequests } from "../protocol/requests";
import type { JsonValue } from "../protocol/value";
import type { OverlordConnection, RequestOptions } from "./connection";

/** What a connection and one that is kept have in common. */
type Asker = Pick<OverlordConnection, "request">;

/** Sub-overlords that are looked at by themselves; more are asked for by name. */
const MAX_SUB_OVERLORDS = 100;

/**
 * Sends a request to the overlord at the end of the path, by way of the sub-overlords before it; to this one where
 * there is no path. Throws FuncError as that overlord does, and as `overlord/at` does for those on the way.
 */
export async function askAt<R extends RequestAt>(
  connection: Asker,
  path: readonly string[],
  request: R,
  params: OverlordRequests[R]["params"],
  options?: RequestOptions,
): Promise<OverlordRequests[R]["result"]> {
  if (path.length === 0) return connection.request(request, params, options);
  const asked = { path: [...path], request, params: params as JsonValue };
  const answer = await connection.request("overlord/at", asked, options);
  // it went through that overlord's service, and JSON
  return answer as unknown as OverlordRequests[R]["result"];
}

/** Paths of those in the map that have minions, from the top down; each host once, at most 100. */
export function subOverlordPaths(nodes: readonly DelegationMapNode[]): string[][] {
  const paths: string[][] = [];
  const seen = new Set<string>();
  let tier = nodes.map((node) => ({ node, path: [node.name] }));
  while (tier.length > 0) {
    const next: typeof tier = [];
    for (const { node, path } of tier) {
      if (node.children.length === 0) continue;
      const host = node.identity ?? path.join("/");
      if (seen.has(host)) continue;
      seen.add(host);
      paths.push(path);
      if (paths.length === MAX_SUB_OVERLORDS) return paths;
      for (const child of node.children) next.push({ node: child, path: [...path, child.name] });
    }
    tier = next;
  }
  return paths;
}
