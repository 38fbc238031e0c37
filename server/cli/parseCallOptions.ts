import type { BatchPlan } from "../protocol/jobs";
import type { OptionRule } from "./optionReader";
import { number, usage } from "./parseSteps";

/** How a call goes over its minions. */
export interface CallOptions {
  batch?: BatchPlan;
  maxErrors?: number;
  /** How long an async call tries to reach a minion that is away. */
  deliveryLimitMs?: number;
}

const MAX_ERRORS = 100_000;
/** The overlord counts in milliseconds. */
const DELIVERY_S = { unit: "seconds", least: 0.001, most: 2_000_000, example: "3600" };

/** The options that say it. */
export function callRules(calls: CallOptions): OptionRule[] {
  return [
    {
      names: ["--batch"],
      kind: "value",
      set: (value) => (calls.batch = { ...calls.batch, size: batchSize(value) }),
    },
    {
      names: ["--canary"],
      kind: "value",
      set: (value) => (calls.batch = { ...calls.batch, canary: canary(value) }),
    },
    { names: ["--max-errors"], kind: "value", set: (value) => (calls.maxErrors = errors(value)) },
    {
      names: ["--delivery-limit"],
      kind: "value",
      set: (value) =>
        (calls.deliveryLimitMs = Math.round(number("--delivery-limit", value, DELIVERY_S) * 1000)),
    },
  ];
}

/** Throws FuncError "bad-argument" where they would not do anything. */
export function checkCallOptions(
  { calls, async }: { calls: CallOptions; async: boolean },
  isCall: boolean,
): void {
  const names: Record<keyof CallOptions, string> = {
    batch: calls.batch?.size === undefined ? "--canary" : "--batch",
    maxErrors: "--max-errors",
    deliveryLimitMs: "--delivery-limit",
  };
  const [given] = Object.keys(calls) as (keyof CallOptions)[];
  if (given !== undefined && !isCall) throw usage(`${names[given]} goes with call only.`);
  if (calls.deliveryLimitMs !== undefined && !async) {
    throw usage("--delivery-limit goes with --async only: any other call is tried once.");
  }
}

function batchSize(text: string): string {
  const [, count, percent] = /^(\d{1,6})(%?)$/.exec(text) ?? [];
  const size = Number(count);
  if (size >= 1 && (percent === "" || size <= 100)) return text;
  throw usage(
    `--batch needs a number of minions or a share of them, from 1 or 1% to 100%, such as 10 or 10%, not "${text}".`,
  );
}

function canary(text: string): string {
  if (text.trim() !== "") return text;
  throw usage("--canary needs a target expression.");
}

function errors(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (count <= MAX_ERRORS) return count;
  throw usage(`--max-errors needs a whole number from 0 to ${MAX_ERRORS}, not "${text}".`);
}
