import { fnmatch, fnmatchCase } from "../targets/fnmatch";
import { AclProblem, type AclRule, type JudgedCall } from "./aclRule";
import { argumentRule, type ArgumentRule } from "./argumentRule";
import type { Caller } from "./minionModule";
import { isPreset, presetAllows, PRESETS, type Preset } from "./presets";
import { parseYamlMap, type YamlMap, type YamlValue } from "./yamlMap";

const KEYS = ["roles", "names", "keys", "methods", "preset", "arguments", "until"];
const ROLES = ["overlord", "operator", "originator", "cn-only"];
const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/;

/** Reads a file in our own format: a list `allow` of rules. Throws AclProblem. */
export function parseYamlAcl(text: string): AclRule[] {
  const file = parseYamlMap(text, ["allow"], (line, what) => {
    throw new AclProblem(line ?? 0, what);
  });
  return (file?.maps("allow", KEYS) ?? []).map(ruleOf);
}

function ruleOf(rule: YamlMap): AclRule {
  const untilMs = untilOf(rule.get("until"));
  const methods = globsOf(rule.list("methods"), fnmatchCase, "a glob of methods");
  const preset = presetOf(rule.get("preset"));
  const argumentRules = argumentsOf(rule.map("arguments", undefined));
  if (!methods && preset === undefined) rule.fail('a rule needs "methods" or "preset"');
  // who writes both means to narrow the preset, and would widen it
  if (methods && preset !== undefined) {
    rule.fail('a rule has "methods" or "preset", not both: make two rules');
  }
  if (argumentRules && !methods) rule.fail('"arguments" goes with "methods"');
  const written = rule.list("methods")?.map(({ value, line }) => ({ glob: String(value), line }));
  return {
    line: rule.line,
    methods: written ?? [],
    names: namesOf(rule),
    allows: ({ method, risk, params, nowMs }: JudgedCall) => {
      if (nowMs >= untilMs) return false;
      if (preset !== undefined) return presetAllows(preset, risk);
      if (!methods?.some((isMethod) => isMethod(method))) return false;
      return argumentRules === undefined || fits(argumentRules, params);
    },
  };
}

function namesOf(rule: YamlMap): (caller: Caller) => boolean {
  const roles = rule.list("roles")?.map(({ value, fail }): string => {
    if (typeof value === "string" && ROLES.includes(value)) return value;
    return fail(`"roles" are ${ROLES.join(", ")}`);
  });
  if (!roles || roles.length === 0) return rule.fail(`a rule needs "roles": ${ROLES.join(", ")}`);
  const names = globsOf(rule.list("names"), fnmatch, "a glob of names");
  const keys = rule.list("keys")?.map(({ value, fail }): string => {
    const hex = typeof value === "string" ? value.replaceAll(":", "").toLowerCase() : "";
    return /^[0-9a-f]{64}$/.test(hex)
      ? hex
      : fail('"keys" are SHA-256 fingerprints of 64 hex digits');
  });
  if (roles.includes("cn-only") && !keys) {
    // anybody whose request such a CA has signed could have chosen the name
    rule.fail('"cn-only" needs "keys": such a certificate proves no name');
  }
  return ({ role, name, keyFingerprint }) =>
    roles.includes(role) &&
    (names === undefined || names.some((isName) => isName(name))) &&
    (keys === undefined || keys.includes(keyFingerprint));
}

function globsOf(
  values: YamlValue[] | undefined,
  compile: (glob: string) => (text: string) => boolean,
  kind: string,
): ((text: string) => boolean)[] | undefined {
  return values?.map(({ value, fail }) => {
    if (typeof value !== "string" || value === "") return fail(`has to be ${kind}`);
    return compile(value);
  });
}

function presetOf(given: YamlValue | undefined): Preset | undefined {
  if (given === undefined || isPreset(given.value)) return given?.value as Preset | undefined;
  return given.fail(`"preset" has to be one of ${PRESETS.join(", ")}`);
}

/** A day is meant to its end, by UTC. */
function untilOf(given: YamlValue | undefined): number {
  if (given === undefined) return Infinity;
  const text = typeof given.value === "string" ? given.value : "";
  const ms = DATE.test(text) ? Date.parse(text) + DAY_MS : TIME.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return ms;
  return given.fail('"until" has to be a day as 2027-01-31, or a time as 2027-01-31T18:00Z');
}

/** By place, from 1. */
function argumentsOf(map: YamlMap | undefined): Map<number, ArgumentRule> | undefined {
  if (!map) return undefined;
  const rules = new Map<number, ArgumentRule>();
  for (const [key, value] of map.entries()) {
    if (typeof key !== "number" || !Number.isInteger(key) || key < 1) {
      value.fail('"arguments" are counted: 1 is the first');
    } else {
      rules.set(key, argumentRule(value));
    }
  }
  return rules;
}

/** What no rule tells about may not be there: it could change what the others mean. */
function fits(rules: ReadonlyMap<number, ArgumentRule>, params: JudgedCall["params"]): boolean {
  for (let place = 1; place <= params.length; place++) if (!rules.has(place)) return false;
  return [...rules].every(([place, fitsRule]) => fitsRule(params[place - 1]));
}
