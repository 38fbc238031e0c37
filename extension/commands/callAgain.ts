import { l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { JobSummary } from "../../server/protocol/jobs";
import { requireTrust, runCall } from "../calls";
import { askRecentCall } from "../input/askRecentCall";
import type { RecentCall } from "../recentCalls";
import type { Services } from "../services";
import { callMethod } from "./callMethod";
import { readJobs } from "../views/readJobs";
import { callOf, startedWith } from "./repeatJob";
import { runCommand } from "./runCommand";

const MAX_OUTCOMES = 1_000;

/** Makes one of the recent calls of this workspace again, or asks it anew with the answers of then. */
export async function callAgain(services: Services): Promise<void> {
  requireTrust();
  const { session, recentCalls } = services;
  // nothing is started just to say how they went
  const jobs =
    session.state.kind === "connected"
      ? outcomesSince(session, recentCalls.list().at(-1)?.createdAtMs)
      : Promise.resolve([]);
  const chosen = await askRecentCall(recentCalls, jobs);
  if (!chosen) return;
  if (chosen.edit) await changed(services, chosen.call);
  else await repeat(services, chosen.call);
}

/** Makes the last call of this workspace again; asks only what calls of its kind ask. */
export async function callLastAgain(services: Services): Promise<void> {
  requireTrust();
  const [last] = services.recentCalls.list();
  if (!last) {
    throw new FuncError("not-found", l10n.t("No calls have been made from this workspace yet."));
  }
  await repeat(services, last);
}

/** As it was: what this workspace did not keep of it, the overlord may have. */
async function repeat(services: Services, call: RecentCall): Promise<void> {
  const { jobId, spec, exclude, delegate, module, method, args, risk } = call;
  if (args) {
    const call = { spec, exclude, delegate, module, method, args: [...args] };
    await runCall(services, call, risk);
    return;
  }
  const started = await startedWith(services, { id: jobId, spec, exclude, module, method });
  if (started) await runCall(services, callOf(started.params), started.risk);
  else await changed(services, call);
}

/** How the jobs since then went; of calls of long ago nobody asks any more. */
async function outcomesSince(
  session: Services["session"],
  sinceMs: number | undefined,
): Promise<readonly JobSummary[]> {
  if (sinceMs === undefined) return [];
  return (await readJobs(session, { sinceMs }, MAX_OUTCOMES)).jobs;
}

async function changed(services: Services, call: RecentCall): Promise<void> {
  const isCommand = call.module === "command" && call.method === "run";
  // a command of a secret is asked for anew; one with further arguments has its own questions
  if (isCommand && (call.args?.length ?? 1) === 1) await runCommand(services, { again: call });
  else await callMethod(services, { again: call });
}
