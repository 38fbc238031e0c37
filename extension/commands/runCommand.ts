import { l10n } from "vscode";
import { targetsText } from "../../server/protocol/jobs";
import { runCall } from "../calls";
import { CommandHistory } from "../commandHistory";
import { askCommand } from "../input/askCommand";
import { askCallOptions } from "../input/askCallOptions";
import { askTargets, type Targets } from "../input/askTargets";
import type { CallOptions } from "../input/callOptions";
import { plainLabel } from "../input/plainLabel";
import { BACK, runSteps, type Step } from "../input/steps";
import type { Services } from "../services";
import { usualOptions } from "../settings";
import { callToRepeat } from "./callToRepeat";
import { chosenTargets } from "./selection";

const RUN = { module: "command", method: "run" };

/** As runCommand, and asks how it is to be run. */
export function runCommandWithOptions(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  return runCommand(services, item, items, "options");
}

/** Runs a shell command on minions: those chosen in the tree, or of an expression that it asks for. */
export async function runCommand(
  services: Services,
  item?: unknown,
  items?: unknown,
  ask?: "options",
): Promise<void> {
  const chosen = await chosenTargets(services, item, items);
  const again = callToRepeat(item);
  const history = new CommandHistory(services.context.globalState);
  let targets: Targets = { spec: chosen?.spec ?? again?.spec ?? "*", exclude: again?.exclude };
  const [before] = again?.args ?? [];
  let command = typeof before === "string" ? before : "";
  const where: Step = async (place) => {
    const question = { title: l10n.t("Run Command"), value: targets, place };
    const answer = await askTargets(services.session, question);
    if (answer !== undefined && answer !== BACK) targets = answer;
    return answer;
  };
  const what: Step = async (place) => {
    const title = l10n.t("Run Command on {0}", targetsText(targets));
    const answer = await askCommand(title, history.list(), place, command);
    if (answer !== undefined && answer !== BACK) command = answer;
    return answer;
  };
  let options: CallOptions | undefined;
  const how: Step = async (place) => {
    const title = l10n.t("{0} on {1}", plainLabel(command), targetsText(targets));
    const answer = await askCallOptions(title, options ?? usualOptions(RUN), place);
    if (answer !== undefined && answer !== BACK) options = answer;
    return answer;
  };
  const steps = [...(chosen === undefined ? [where] : []), what, ...(ask ? [how] : [])];
  if (!(await runSteps(() => steps))) return;
  await history.add(command);
  const call = { ...targets, delegate: chosen?.delegate, ...RUN, args: [command], options };
  // any command may change something; that it may also be disruptive is what its author knows
  await runCall(services, call, "change");
}
