import { l10n } from "vscode";
import { runCall } from "../calls";
import { askTargets } from "../input/askTargets";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenTargets } from "./selection";

/** Pings the chosen minions, or those of an expression that it asks for. */
export async function ping(services: Services, item?: unknown, items?: unknown): Promise<void> {
  const chosen = await chosenTargets(services, item, items);
  const targets = chosen ?? (await askTargets(services.session, { title: l10n.t("Ping") }));
  if (targets === undefined || targets === BACK) return;
  await runCall(services, { ...targets, module: "test", method: "ping", args: [] }, "read");
}
