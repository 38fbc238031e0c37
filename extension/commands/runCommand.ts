import { l10n } from "vscode";
import { runCall } from "../calls";
import { askTargets } from "../input/askTargets";
import { askCommand } from "../input/askCommand";
import { BACK, runSteps, type Step } from "../input/steps";
import type { Services } from "../services";
import { CommandHistory } from "../commandHistory";
import { chosenNodes, specOf } from "./selection";

/** Runs a shell command on minions: those chosen in the tree, or of an expression that it asks for. */
export async function runCommand(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  const title = l10n.t("Run Command");
  const chosen = specOf(chosenNodes(item, items));
  const history = new CommandHistory(services.context.globalState);
  let spec = chosen;
  let command = "";
  const targets: Step = async (place) => {
    const answer = await askTargets(services.session, { title, value: spec, place });
    if (answer !== undefined && answer !== BACK) spec = answer.trim();
    return answer;
  };
  const text: Step = async (place) => {
    const where = spec ?? "*";
    const answer = await askCommand(l10n.t("Run Command on {0}", where), history.list(), place);
    if (answer !== undefined && answer !== BACK) command = answer;
    return answer;
  };
  const steps = chosen === undefined ? [targets, text] : [text];
  if (!(await runSteps(() => steps)) || spec === undefined) return;
  await history.add(command);
  const call = { spec, module: "command", method: "run", args: [command] };
  // any command may change something; that it may also be disruptive is what its author knows
  await runCall(services, call, "change");
}
