import { l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import { requireTrust, runCall } from "../calls";
import { askRecentCall } from "../input/askRecentCall";
import type { RecentCall } from "../recentCalls";
import type { Services } from "../services";
import { callMethod } from "./callMethod";
import { runCommand } from "./runCommand";

/** Makes one of the recent calls of this workspace again, or asks it anew with the answers of then. */
export async function callAgain(services: Services): Promise<void> {
  requireTrust();
  const { session, recentCalls } = services;
  // nothing is started just to say how they went
  const jobs =
    session.state.kind === "connected"
      ? session.request("jobs/list", {}).then(({ jobs }) => jobs)
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

/** As it was, as far as that was kept. */
async function repeat(services: Services, call: RecentCall): Promise<void> {
  const { spec, exclude, module, method, args, risk } = call;
  if (!args) return changed(services, call);
  await runCall(services, { spec, exclude, module, method, args: [...args] }, risk);
}

async function changed(services: Services, call: RecentCall): Promise<void> {
  const isCommand = call.module === "command" && call.method === "run";
  // a command of a secret is asked for anew; one with further arguments has its own questions
  if (isCommand && (call.args?.length ?? 1) === 1) await runCommand(services, { again: call });
  else await callMethod(services, { again: call });
}
