import { sinceTime } from "../common/auditText";
import type { JobQuery } from "../protocol/jobs";
import type { OptionReader, OptionRule } from "./optionReader";
import { nothingMore, reservedUsage, usage, wholeNumber } from "./parseSteps";

/** What follows `func jobs`; a job is named by its id, by how its id begins or ends, or as "last". */
export type JobsCommand =
  | { kind: "jobsList"; query: JobQuery; last?: number }
  | { kind: "jobsShow"; job: string; minion?: string; attempts: boolean }
  | { kind: "jobsFollow"; job: string; minion?: string }
  | { kind: "jobsCancel"; job: string }
  | { kind: "jobsRetry"; job: string; minion?: string }
  | { kind: "jobsDelete"; jobs: string[]; untilMs?: number; yes: boolean }
  | { kind: "jobsSearch"; text: string; query: JobQuery; matchCase: boolean };

const ACTIONS = "list, show, follow, cancel, retry, delete or search";
const MAX_JOBS = 1_000_000;
/** As the overlord takes them. */
const MAX_TEXT = 1_000;

/** What follows `func jobs`. Throws FuncError "bad-argument". */
export function parseJobs(reader: OptionReader): JobsCommand {
  // the word "list" may be missing, also before the list's options
  const query: JobQuery = {};
  const asked: { last?: number } = {};
  const rules = listRules(query, asked);
  reader.add(rules);
  const action = reader.next()?.word;
  if (action === undefined || action === "list") {
    nothingMore(reader);
    return { kind: "jobsList", query, ...asked };
  }
  reader.remove(rules);
  if (Object.keys({ ...query, ...asked }).length > 0) {
    throw usage(`Options of "jobs ${action}" stand behind the word "${action}".`);
  }
  return parseAction(reader, action);
}

function parseAction(reader: OptionReader, action: string): JobsCommand {
  switch (action) {
    case "show": {
      const asked: { minion?: string; attempts?: true } = {};
      reader.add([
        minionRule(asked),
        { names: ["--attempts"], kind: "flag", set: () => (asked.attempts = true) },
      ]);
      const job = oneJob(reader, action);
      return { kind: "jobsShow", job, ...asked, attempts: asked.attempts === true };
    }
    case "follow":
    case "retry": {
      const asked: { minion?: string } = {};
      reader.add([minionRule(asked)]);
      const job = oneJob(reader, action);
      return { kind: action === "follow" ? "jobsFollow" : "jobsRetry", job, ...asked };
    }
    case "cancel":
      return { kind: "jobsCancel", job: oneJob(reader, action) };
    case "delete":
      return parseDelete(reader);
    case "search":
      return parseSearch(reader);
    default:
      throw reservedUsage("jobs", ACTIONS, action);
  }
}

function listRules(query: JobQuery, asked: { last?: number }): OptionRule[] {
  return [
    ...filterRules(query),
    {
      names: ["--last"],
      kind: "value",
      set: (value) => (asked.last = wholeNumber("--last", value, MAX_JOBS)),
    },
  ];
}

function parseSearch(reader: OptionReader): JobsCommand {
  const query: JobQuery = {};
  const asked: { matchCase?: true } = {};
  reader.add([
    ...filterRules(query),
    { names: ["--match-case"], kind: "flag", set: () => (asked.matchCase = true) },
  ]);
  const text = reader.next()?.word;
  if (text === undefined || text === "") throw usage("jobs search needs a text to look for.");
  if (text.length > MAX_TEXT) throw usage(`jobs search takes at most ${MAX_TEXT} characters.`);
  nothingMore(reader);
  return { kind: "jobsSearch", text, query, matchCase: asked.matchCase === true };
}

function parseDelete(reader: OptionReader): JobsCommand {
  const asked: { untilMs?: number; yes?: true } = {};
  reader.add([
    {
      names: ["--older-than"],
      kind: "value",
      set: (value) => (asked.untilMs = time("--older-than", value)),
    },
    { names: ["--yes"], kind: "flag", set: () => (asked.yes = true) },
  ]);
  const jobs: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) jobs.push(next.word);
  // an unset variable means none, and must not mean another
  if (jobs.includes("")) throw usage("One of the jobs is empty.");
  if (jobs.length === 0 && asked.untilMs === undefined) {
    throw usage("jobs delete needs ids of jobs, or --older-than, such as: --older-than 3d");
  }
  if (jobs.length > 0 && asked.untilMs !== undefined) {
    throw usage("jobs delete takes either ids or --older-than.");
  }
  const { untilMs, yes } = asked;
  return { kind: "jobsDelete", jobs, ...(untilMs !== undefined && { untilMs }), yes: yes === true };
}

function filterRules(query: JobQuery): OptionRule[] {
  return [
    { names: ["--state"], kind: "value", set: (value) => (query.state = state(value)) },
    minionRule(query),
    {
      names: ["--module"],
      kind: "value",
      set: (value) => (query.module = glob("--module", value)),
    },
    {
      names: ["--method"],
      kind: "value",
      set: (value) => (query.method = glob("--method", value)),
    },
    { names: ["--since"], kind: "value", set: (value) => (query.sinceMs = time("--since", value)) },
    { names: ["--until"], kind: "value", set: (value) => (query.untilMs = time("--until", value)) },
  ];
}

function minionRule(asked: { minion?: string }): OptionRule {
  return {
    names: ["--minion"],
    kind: "value",
    set: (value) => (asked.minion = glob("--minion", value)),
  };
}

function oneJob(reader: OptionReader, action: string): string {
  const job = reader.next()?.word;
  if (job === undefined || job === "") {
    throw usage(`jobs ${action} needs the id of a job, a part that begins or ends it, or "last".`);
  }
  nothingMore(reader);
  return job;
}

function state(text: string): NonNullable<JobQuery["state"]> {
  if (text === "running" || text === "finished" || text === "problems") return text;
  throw usage(`--state needs one of running, finished or problems, not "${text}".`);
}

/** An empty one is an unset variable, and would match nothing; so would separators alone. */
function glob(option: string, text: string): string {
  if (text.length > MAX_TEXT) throw usage(`${option} takes ${MAX_TEXT} characters at most.`);
  if (/[^;\s]/.test(text)) return text;
  throw usage(`${option} needs a name or a glob, such as "web*".`);
}

function time(option: string, text: string): number {
  const ms = sinceTime(text);
  if (ms !== undefined) return Math.round(ms);
  throw usage(`${option} needs a time such as 2026-11-22T08:30Z, 30m, 2h or 7d, not "${text}".`);
}
