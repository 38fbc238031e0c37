import { l10n } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import { compare, shownUri } from "../documents/showResult";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenJob } from "./jobSelection";

/** More of them nobody looks through by hand; typing narrows them. */
const MAX_SHOWN = 10_000;
/** Results in one answer. */
const PAGE = 250;

/**
 * Shows the results of two minions side by side, of the chosen job or `{jobId, minions: [a, b]}`; what is
 * not given is asked for. Throws FuncError.
 */
export async function compareResults(services: Services, item?: unknown): Promise<void> {
  const { session } = services;
  const job = await chosenJob(services, item, {
    title: l10n.t("Compare Results"),
    offered: ({ total }) => total > 1,
  });
  const pair = job && (givenPair(item) ?? (await pickPair(services, job)));
  if (!job || !pair) return;
  const { id: jobId } = job;
  const [left, right] = pair;
  const call = callOf(job);
  await compare(
    await shownUri(session, { jobId, minion: left, call }),
    await shownUri(session, { jobId, minion: right, call }),
    { minion: left, call },
    { minion: right },
  );
}

function callOf({ module, method }: JobSummary): string {
  return `${module}.${method}`;
}

function givenPair(item: unknown): [string, string] | undefined {
  if (typeof item !== "object" || item === null || !("minions" in item)) return undefined;
  const [left, right] = Array.isArray(item.minions) ? (item.minions as unknown[]) : [];
  return typeof left === "string" && typeof right === "string" ? [left, right] : undefined;
}

async function pickPair(
  { session }: Services,
  job: JobSummary,
): Promise<[string, string] | undefined> {
  const names = namesOf(session, job);
  const left = await pickMinion(l10n.t("Compare the Result of..."), names);
  if (left === undefined) return undefined;
  const others = names.then((all) => all.filter((name) => name !== left));
  const right = await pickMinion(l10n.t("Compare {0} with...", left), others);
  return right === undefined ? undefined : [left, right];
}

async function namesOf(
  session: Services["session"],
  { id: jobId, total }: JobSummary,
): Promise<string[]> {
  const names: string[] = [];
  for (let from = 0; from < Math.min(total, MAX_SHOWN); from += PAGE) {
    const { results } = await session.request("jobs/results", { jobId, from, limit: PAGE });
    names.push(...results.map(({ minion }) => minion));
  }
  return names;
}

async function pickMinion(
  title: string,
  names: Promise<readonly string[]>,
): Promise<string | undefined> {
  const items = names.then((all) => all.map((name) => ({ label: name })));
  const picked = await askPick({ title, items });
  return picked === undefined || picked === BACK ? undefined : picked.label;
}
