import { l10n } from "vscode";
import { runCall } from "../calls";
import { askTargets } from "../input/askTargets";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenNodes, specOf } from "./selection";

/** Pings the chosen minions, or those of an expression that it asks for. */
export async function ping(services: Services, item?: unknown, items?: unknown): Promise<void> {
  const spec =
    specOf(chosenNodes(item, items)) ??
    (await askTargets(services.session, { title: l10n.t("Ping") }));
  if (spec === undefined || spec === BACK) return;
  await runCall(services, { spec, module: "test", method: "ping", args: [] }, "read");
}
