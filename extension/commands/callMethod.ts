import { l10n, type QuickPickItem } from "vscode";
import { targetsText } from "../../server/protocol/jobs";
import type {
  ArgumentDescription,
  MethodDescription,
  MethodRisk,
  ModuleDescription,
} from "../../server/protocol/methods";
import { requireTrust, runCall } from "../calls";
import { delegateByDefault } from "../delegateByDefault";
import { askCallOptions } from "../input/askCallOptions";
import { argumentList, type ParsedArgument } from "../input/argumentInput";
import { argumentTexts } from "../input/argumentText";
import { askArgument, UNDECLARED } from "../input/askArgument";
import { askPick } from "../input/askPick";
import { askTargets } from "../input/askTargets";
import type { CallOptions } from "../input/callOptions";
import { plainLabel } from "../input/plainLabel";
import { BACK, runSteps, type Step } from "../input/steps";
import type { Services } from "../services";
import { usualOptions } from "../settings";
import { callToRepeat, type CallToRepeat } from "./callToRepeat";
import { chosenTargets, type ChosenTargets } from "./selection";

/** Asks step by step for targets, module, method and arguments, then makes the call. */
export async function callMethod(
  services: Services,
  item?: unknown,
  items?: unknown,
  ask?: "options",
): Promise<void> {
  requireTrust();
  const chosen = await chosenTargets(services, item, items);
  const question = new CallQuestion(services, chosen, callToRepeat(item), ask === "options");
  if (!(await runSteps(() => question.steps()))) return;
  const { spec, exclude, module, method } = question;
  if (spec === undefined || !module || !method) return;
  const declared = argumentsOf(method);
  if (declared.some(({ secret }) => secret)) {
    services.recentCalls.noteSecret(module.name, method.name);
  }
  const args = argumentList(declared, question.parsed);
  const { options } = question;
  const call = {
    spec,
    exclude,
    delegate: chosen?.delegate,
    module: module.name,
    method: method.name,
    args,
    options,
  };
  await runCall(services, call, method.risk);
}

/** As callMethod, and asks how the call is to be made. */
export function callWithOptions(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  return callMethod(services, item, items, "options");
}

const TITLE = (): string => l10n.t("Call Module Method");

type ModuleItem = QuickPickItem & { module: ModuleDescription };
type MethodItem = QuickPickItem & { method: MethodDescription };

/** The answers so far, and the questions that they lead to. */
class CallQuestion {
  module: ModuleDescription | undefined;
  method: MethodDescription | undefined;
  parsed: ParsedArgument[] = [];
  spec: string | undefined;
  exclude: string | undefined;
  options: CallOptions | undefined;
  /** Said where the methods are those of another host than was chosen. */
  private whose: string | undefined;

  /** `chosen` comes from the tree and is not asked for; `again` is a call to repeat. */
  constructor(
    private readonly services: Services,
    private readonly chosen: ChosenTargets | undefined,
    private readonly again: CallToRepeat | undefined,
    private readonly withOptions: boolean,
  ) {
    this.spec = chosen?.spec ?? again?.spec;
    this.exclude = chosen === undefined ? again?.exclude : undefined;
  }

  steps(): Step[] {
    const args = this.method ? argumentsOf(this.method) : [];
    const steps = [this.askModule, this.askMethod, ...args.map((arg, at) => this.ask(arg, at))];
    if (this.withOptions) steps.push(this.askOptions);
    return this.chosen === undefined ? [this.askSpec, ...steps] : steps;
  }

  private readonly askSpec: Step = async (place) => {
    const { spec, exclude } = this;
    const question = { title: TITLE(), value: { spec, exclude }, place };
    const answer = await askTargets(this.services.session, question);
    if (answer !== undefined && answer !== BACK) {
      this.spec = answer.spec;
      this.exclude = answer.exclude;
    }
    return answer;
  };

  private readonly askModule: Step = async (place) => {
    const described = this.describe(this.spec ?? "*");
    const picked = await askPick<ModuleItem>({
      title: l10n.t("{0} on {1}", TITLE(), this.where()),
      placeholder: described.then(() => this.whoseText(l10n.t("Module"))),
      place,
      items: described.then((modules) => modules.map(moduleItem)),
    });
    if (picked === undefined || picked === BACK) return picked;
    this.module = picked.module;
    this.method = undefined;
    return picked;
  };

  private readonly askMethod: Step = async (place) => {
    const module = this.module;
    const picked = await askPick<MethodItem>({
      title: l10n.t("{0} on {1}", module?.name ?? TITLE(), this.where()),
      placeholder: this.whoseText(l10n.t("Method")),
      place,
      items: this.first(module?.methods ?? [], this.again?.method).map(methodItem),
    });
    if (picked === undefined || picked === BACK) return picked;
    this.method = picked.method;
    this.parsed = [];
    return picked;
  };

  private readonly askOptions: Step = async (place) => {
    const { module, method } = this;
    const title = `${module?.name ?? ""}.${method?.name ?? ""}`;
    const usual = usualOptions({ module: module?.name ?? "", method: method?.name ?? "" });
    const answer = await askCallOptions(
      l10n.t("{0} on {1}", title, this.where()),
      this.options ?? usual,
      place,
    );
    if (answer !== undefined && answer !== BACK) this.options = answer;
    return answer;
  };

  private ask(description: ArgumentDescription, position: number): Step {
    return async (place) => {
      const title = `${this.module?.name ?? ""}.${this.method?.name ?? ""}`;
      const answer = await askArgument(title, description, place, this.textsOf()[position]);
      if (answer !== undefined && answer !== BACK) this.parsed[position] = answer;
      return answer;
    };
  }

  /** What was given before, as one would type it; only for the method that is repeated. */
  private textsOf(): readonly (string | undefined)[] {
    const { again, module, method } = this;
    if (!method || !again?.args) return [];
    if (module?.name !== again.module || method.name !== again.method) return [];
    return argumentTexts(argumentsOf(method), again.args);
  }

  private where(): string {
    return targetsText({ spec: this.spec ?? "*", exclude: this.exclude });
  }

  private async describe(spec: string): Promise<readonly ModuleDescription[]> {
    const { session } = this.services;
    const { minion, modules, insteadOf } = await session.request("minions/describe", {
      spec,
      exclude: this.exclude,
      delegate: this.chosen?.delegate ?? (await delegateByDefault(session)),
    });
    this.whose =
      insteadOf &&
      l10n.t("of {0}: {1} could not be asked ({2})", minion, insteadOf.minion, insteadOf.problem);
    return this.first(
      modules.filter(({ methods }) => methods.length > 0),
      this.again?.module,
    );
  }

  /** "Module", and of which host where the chosen one could not be asked. */
  private whoseText(what: string): string {
    return this.whose === undefined ? what : `${what} ${this.whose}`;
  }

  /** What was called before comes first. */
  private first<T extends { name: string }>(things: readonly T[], name?: string): readonly T[] {
    return things.toSorted((a, b) => Number(b.name === name) - Number(a.name === name));
  }
}

function argumentsOf(method: MethodDescription): readonly ArgumentDescription[] {
  return method.args ?? [UNDECLARED];
}

function moduleItem(module: ModuleDescription): ModuleItem {
  const { name, description, methods } = module;
  const count = methods.length === 1 ? l10n.t("1 method") : l10n.t("{0} methods", methods.length);
  return {
    label: plainLabel(name),
    description: count,
    detail: plainLabel(description) || undefined,
    module,
  };
}

function methodItem(method: MethodDescription): MethodItem {
  const { name, description, risk } = method;
  const args = (method.args ?? []).map((arg) => (arg.optional ? `[${arg.name}]` : arg.name));
  const signature = method.args ? `(${args.join(", ")})` : "";
  const riskText = risk === undefined ? undefined : RISKS[risk]();
  return {
    label: plainLabel(name),
    description: [plainLabel(signature), riskText].filter(Boolean).join("  "),
    detail: plainLabel(description) || undefined,
    method,
  };
}

const RISKS: Record<MethodRisk, () => string | undefined> = {
  read: () => undefined,
  change: () => l10n.t("$(edit) changes the host"),
  disruptive: () => l10n.t("$(warning) may interrupt services"),
};
