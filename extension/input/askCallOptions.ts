import { l10n, ThemeIcon, type QuickPickItem } from "vscode";
import { askPick } from "./askPick";
import { askText } from "./askText";
import { optionWords, type CallOptions } from "./callOptions";
import { plainLabel } from "./plainLabel";
import { delegates } from "../settings";
import { BACK, type Answer, type StepPlace } from "./steps";

interface OptionItem extends QuickPickItem {
  /** Changes the options, or is where the call is made. */
  change: (() => Promise<CallOptions | undefined>) | "call";
}

const MAX_SECONDS = 86_400;
const SIZE = /^\d{1,6}%?$/;

/** Asks how a call is to be made until the user wants it made; `title` says which. */
export async function askCallOptions(
  title: string,
  before: CallOptions,
  place: StepPlace,
): Promise<Answer<CallOptions>> {
  let options = before;
  for (;;) {
    const picked = await askPick<OptionItem>({
      title: [title, ...optionWords(options)].join(" · "),
      placeholder: l10n.t("Enter makes the call; choose an option to change it"),
      place,
      items: itemsOf(title, options),
    });
    if (picked === undefined || picked === BACK) return picked;
    if (picked.change === "call") return options;
    options = (await picked.change()) ?? options;
  }
}

function itemsOf(title: string, options: CallOptions): OptionItem[] {
  const { batch, delegate = delegates() } = options;
  const withBatch = (change: NonNullable<CallOptions["batch"]>): CallOptions => {
    const changed = { ...batch, ...change };
    const empty = changed.canary === undefined && changed.size === undefined;
    return { ...options, batch: empty ? undefined : changed };
  };
  return [
    { label: l10n.t("Call"), iconPath: new ThemeIcon("play"), change: "call" },
    {
      label: l10n.t("As a job"),
      description: options.async ? l10n.t("yes") : l10n.t("no"),
      detail: l10n.t("No time limit unless you set one; goes on without this window; live output"),
      change: () => Promise.resolve({ ...options, async: !options.async }),
    },
    {
      label: l10n.t("Behind sub-overlords too"),
      description: delegate ? l10n.t("yes, where there is a delegation map") : l10n.t("no"),
      detail: l10n.t("Minions of the delegation map are called through the overlords above them"),
      change: () => {
        // by the setting it is only where there is a map
        const yes = delegates() ? undefined : true;
        return Promise.resolve({ ...options, delegate: delegate ? false : yes });
      },
    },
    {
      label: l10n.t("In steps of"),
      description: batch?.size ?? l10n.t("all at once"),
      detail: l10n.t("The next step begins when the last has ended"),
      change: () =>
        asked({
          title,
          prompt: l10n.t("How many minions at a time, or what share of them, such as 10%"),
          value: batch?.size,
          check: (text) => (SIZE.test(text) && text !== "0" ? undefined : l10n.t("10, or 10%")),
          use: (size) => withBatch({ size }),
        }),
    },
    {
      label: l10n.t("First on"),
      description: plainLabel(batch?.canary ?? l10n.t("none in particular")),
      detail: l10n.t("These go first, alone: the canaries"),
      change: () =>
        asked({
          title,
          prompt: l10n.t("Names or globs of those that go first"),
          value: batch?.canary,
          use: (canary) => withBatch({ canary }),
        }),
    },
    {
      label: l10n.t("Stop beyond errors"),
      description: options.maxErrors === undefined ? l10n.t("never") : String(options.maxErrors),
      detail: l10n.t("With more failures than this no more minions are called"),
      change: () =>
        numberAsked(
          title,
          l10n.t("How many minions may fail"),
          options.maxErrors,
          0,
          (maxErrors) => ({
            ...options,
            maxErrors,
          }),
        ),
    },
    {
      label: l10n.t("Time limit on each minion"),
      description: secondsText(options.timeoutMs, l10n.t("as in the settings")),
      change: () =>
        secondsAsked(title, options.timeoutMs, (timeoutMs) => ({ ...options, timeoutMs })),
    },
    {
      label: l10n.t("Wait for hosts that are away"),
      description: secondsText(options.deliveryLimitMs, l10n.t("no")),
      detail: l10n.t("Of jobs: they are started as soon as they can be reached"),
      change: () =>
        secondsAsked(title, options.deliveryLimitMs, (deliveryLimitMs) => ({
          ...options,
          deliveryLimitMs,
          // only the start of a job can wait
          async: deliveryLimitMs === undefined ? options.async : true,
        })),
    },
    {
      label: l10n.t("At the same time"),
      description:
        options.nforks === undefined ? l10n.t("as in the settings") : String(options.nforks),
      change: () =>
        numberAsked(
          title,
          l10n.t("How many minions are called at once"),
          options.nforks,
          1,
          (nforks) => ({
            ...options,
            nforks,
          }),
        ),
    },
  ];
}

interface OptionQuestion {
  title: string;
  prompt: string;
  value: string | undefined;
  /** Why the text cannot be taken. */
  check?: (text: string) => string | undefined;
  /** The options with the answer; undefined takes the option back. */
  use: (text: string | undefined) => CallOptions;
}

async function asked(question: OptionQuestion): Promise<CallOptions | undefined> {
  const { title, prompt, value, check, use } = question;
  const text = await askText({
    title,
    prompt: l10n.t("{0}; nothing takes it back", prompt),
    value,
    place: { canGoBack: true },
    check: (typed) => (typed.trim() === "" ? undefined : check?.(typed.trim())),
  });
  if (text === undefined || text === BACK) return undefined;
  return use(text.trim() === "" ? undefined : text.trim());
}

function numberAsked(
  title: string,
  prompt: string,
  value: number | undefined,
  least: number,
  use: (value: number | undefined) => CallOptions,
): Promise<CallOptions | undefined> {
  return asked({
    title,
    prompt,
    value: value === undefined ? undefined : String(value),
    check: (text) =>
      /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= 10_000
        ? undefined
        : l10n.t("A whole number from {0} to 10,000", least),
    use: (text) => use(text === undefined ? undefined : Number(text)),
  });
}

function secondsAsked(
  title: string,
  valueMs: number | undefined,
  use: (valueMs: number | undefined) => CallOptions,
): Promise<CallOptions | undefined> {
  return asked({
    title,
    prompt: l10n.t("Seconds"),
    value: valueMs === undefined ? undefined : String(valueMs / 1_000),
    check: (text) => {
      const seconds = Number(text);
      return seconds > 0 && seconds <= MAX_SECONDS
        ? undefined
        : l10n.t("Seconds, at most a day ({0})", MAX_SECONDS);
    },
    use: (text) =>
      use(text === undefined ? undefined : Math.max(1, Math.round(Number(text) * 1_000))),
  });
}

function secondsText(valueMs: number | undefined, otherwise: string): string {
  return valueMs === undefined ? otherwise : l10n.t("{0} s", valueMs / 1_000);
}
