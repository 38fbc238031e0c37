import { l10n } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import { compare, shownUri } from "../documents/showResult";
import { askPick } from "../input/askPick";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { pickJob } from "./jobPick";

/** More of them nobody looks through by hand; typing narrows them. */
const MAX_SHOWN = 10_000;

/**
 * Shows the results of two minions side by side. `item` may be `{jobId, minions: [a, b]}`; what is
 * not given is asked for.
 */
export async function compareResults(services: Services, item?: unknown): Promise<void> {
  const { session, results } = services;
  const given = givenBy(item);
  const jobId =
    given.jobId ??
    results.activeJob?.jobId ??
    (await pickJob(services, l10n.t("Compare Results"), ({ total }) => total > 1));
  if (jobId === undefined) return;
  const job = (await session.request("jobs/list", {})).jobs.find(({ id }) => id === jobId);
  const pair = given.minions ?? (await pickPair(services, jobId));
  if (!job || !pair) return;
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

function givenBy(item: unknown): { jobId?: string; minions?: [string, string] } {
  if (typeof item !== "object" || item === null) return {};
  const { jobId, minions } = item as { jobId?: unknown; minions?: unknown };
  const [left, right] = Array.isArray(minions) ? (minions as unknown[]) : [];
  return {
    ...(typeof jobId === "string" && { jobId }),
    ...(typeof left === "string" && typeof right === "string" && { minions: [left, right] }),
  };
}

async function pickPair(services: Services, jobId: string): Promise<[string, string] | undefined> {
  const { results } = await services.session.request("jobs/watch", { jobId });
  const names = results.map(({ minion }) => minion).slice(0, MAX_SHOWN);
  const left = await pickMinion(l10n.t("Compare the Result of..."), names);
  if (left === undefined) return undefined;
  const others = names.filter((name) => name !== left);
  const right = await pickMinion(l10n.t("Compare {0} with...", left), others);
  return right === undefined ? undefined : [left, right];
}

async function pickMinion(title: string, names: readonly string[]): Promise<string | undefined> {
  const items = Promise.resolve(names.map((name) => ({ label: name })));
  const picked = await askPick({ title, items });
  return picked === undefined || picked === BACK ? undefined : picked.label;
}
