import { FuncError } from "../common/errors";
import { askNextHop } from "../delegation/askNextHop";
import { explainNoHop } from "../delegation/explainNoHop";
import type { JsonValue } from "../protocol/value";
import type { ClientFeed } from "./clientFeed";
import type { AuditedClient } from "./overlordAudit";
import type { Handlers, OverlordParts } from "./service";

/** Runs a request of this overlord: its params are checked, and who asked is audited. */
type RunHere = (
  method: string,
  params: unknown,
  feed: ClientFeed,
  signal: AbortSignal,
  client: AuditedClient,
) => Promise<unknown>;

/** What asks sub-overlords, and answers an overlord above, beside calls. */
export function subOverlordHandlers(
  { caller, inventory, maps, version }: OverlordParts,
  runHere: RunHere,
): Pick<Handlers, "overlord/at" | "delegation/ask"> {
  return {
    "overlord/at": async (question, _feed, signal) => {
      const elsewhere = await explainNoHop(question.path, { inventory, maps });
      if (elsewhere) throw elsewhere;
      return askNextHop({ caller, inventory, signal }, question);
    },
    "delegation/ask": async ({ by, ...question }, feed, signal, client) => {
      const { path, request, params } = question;
      refuseFiles(params);
      if (path.length > 0) return askNextHop({ caller, inventory, signal }, question);
      const asking = { kind: "funcd" as const, version, ...client, by };
      // what a request answers goes to clients as JSON in any case
      return (await runHere(request, params, feed, signal, asking)) as JsonValue;
    },
  };
}

/** Which files of this machine are read is for its own clients to say. */
function refuseFiles(params: JsonValue): void {
  if (typeof params !== "object" || params === null || !("mapFile" in params)) return;
  throw new FuncError("bad-argument", "A map file cannot be chosen through others.");
}
