import { stat } from "node:fs/promises";
import { FuncError, messageOf } from "../common/errors";
import { silentLog } from "../common/log";
import { AccessControl } from "./accessControl";
import { describedMethods } from "./describedMethods";
import type { Caller, CallerRole } from "./minionModule";

/** What `funcd acl check` is asked for: about the files alone, or about a call too. */
export interface AclQuestion {
  json: boolean;
  call?: { caller: Caller; method: string; args: string[] };
}

/** What is to be said of the access rules of a home. */
export interface AccessReport {
  /** What is wrong, with file and line: nobody may do anything then, but for repair. */
  problem?: string;
  /** Rules about methods that the minion does not have, with file and line. */
  warnings: string[];
}

const ROLES: readonly CallerRole[] = ["overlord", "operator", "originator", "cn-only"];
const FINGERPRINT = /^[0-9a-f]{64}$/;
const ASYNC_PREFIX = "async.";

/**
 * Reads `ROLE NAME METHOD [ARGS...]`; none of these words asks about the files alone. `key` and `subject` are what
 * else of a certificate rules can name. Throws FuncError "bad-argument".
 */
export function aclCall(
  words: readonly string[],
  { key = "", subject }: { key?: string; subject?: string },
): AclQuestion["call"] {
  const keyFingerprint = key.replaceAll(":", "").toLowerCase();
  if (words.length === 0 && key === "" && subject === undefined) return undefined;
  const [role, name, method, ...args] = words;
  const known = ROLES.find((one) => one === role);
  if (known === undefined || name === undefined || method === undefined || method === "") {
    throw usage(`acl check needs ROLE NAME METHOD, with a role of ${ROLES.join(", ")}`);
  }
  if (key !== "" && !FINGERPRINT.test(keyFingerprint)) {
    throw usage("--key needs a SHA-256 fingerprint of 64 hex digits");
  }
  const caller = { role: known, name, keyFingerprint, address: "", subject };
  return { caller, method: method.replace(ASYNC_PREFIX, ""), args };
}

/** Reads the access rules of a home, whether its funcd runs or not. */
export async function accessReport(home: string): Promise<AccessReport> {
  const access = await accessOf(home);
  const { problem } = access;
  return { ...(problem !== undefined && { problem }), warnings: access.idle() };
}

/**
 * Answers `funcd acl check`: the report and, where a call is asked about, whether it would be allowed, and by what.
 * False where it would not, or the files are wrong.
 */
export async function aclCommand(
  home: string,
  { json, call }: AclQuestion,
  write: (text: string) => void,
): Promise<boolean> {
  const access = await accessOf(home);
  const { problem } = access;
  const warnings = access.idle();
  const decision = call && access.decide(call.caller, call.method, call.args);
  if (json) {
    write(`${JSON.stringify({ problem, warnings, ...decision, told: undefined })}\n`);
  } else {
    write(reportText({ problem, warnings }) || (call ? "" : "The access rules are right.\n"));
    if (decision?.allowed === true) write(`allowed by ${decision.by}\n`);
    if (decision?.allowed === false) write(`denied: ${decision.reason}\n`);
    if (call && describedMethods(home).riskOf(call.method) === undefined) {
      write(`There is no method ${call.method} here.\n`);
    }
  }
  return decision?.allowed ?? problem === undefined;
}

/** The lines for a person; empty where there is nothing to tell. */
export function reportText({ problem, warnings }: AccessReport): string {
  const wrong = problem === undefined ? [] : [`access rules wrong, calls are denied: ${problem}`];
  return [...wrong, ...warnings.map((warning) => `warning: ${warning}`)]
    .map((line) => `${line}\n`)
    .join("");
}

async function accessOf(home: string): Promise<AccessControl> {
  // as funcd judges them, also where somebody else asks
  const { uid: owner } = await stat(home).catch((error: unknown) => {
    throw new FuncError("not-found", `${home} cannot be read: ${messageOf(error)}`);
  });
  return new AccessControl({ home, owner }, describedMethods(home), silentLog);
}

function usage(what: string): FuncError {
  return new FuncError("bad-argument", what, "See funcd --help.");
}
