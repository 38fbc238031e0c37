import type { OverlordConnection } from "../../client/connection";
import { expandJson } from "../../client/outputs";
import { FuncError } from "../../common/errors";
import { minionGlob, type NamedMinion } from "../../jobs/minionGlob";
import { JOB_ID_LOST_IN_SPACE } from "../../protocol/jobs";
import {
  matchTargets,
  usesGroups,
  type HostNames,
  type TargetSpec,
} from "../../targets/targetSpec";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { findKnownJob } from "../findJob";
import { JsonObject } from "../jsonObject";
import { printPieces } from "../printPieces";
import { isRemoteError, renderCode, renderStatusEntry } from "../render";
import type { Session } from "../session";

/** Minions are asked for in pages of this many. */
const PAGE = 1_000;

/**
 * `func SPEC call --jobstatus ID`: the seed's (code, results), as they stand; the results of those minions of
 * the job that SPEC means. Throws "no-match" where it means none of them.
 */
export async function jobStatus(
  session: Session,
  { spec, job }: { spec: string; job: string },
): Promise<number> {
  const { options, out } = session;
  const connection = await session.connect();
  // an id that is not known has a code as well
  const jobId = (await findKnownJob(session, job)) ?? job;
  const { code, results } = await connection.request("jobs/status", { jobId });
  const meant =
    code === JOB_ID_LOST_IN_SPACE
      ? undefined
      : await minionsMeant(connection, session.targets(spec), jobId);
  const entries = Object.entries(results ?? {})
    .filter(([minion]) => meant?.has(minion))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (options.json) {
    out.result(`[${code},`);
    const object = new JsonObject(out.results, connection, options.typed);
    for (const [minion, value] of entries) await object.member(minion, value);
    if (results) object.end();
    else out.result("null");
    out.result("]\n");
  } else {
    const { jobs } = await connection.request("jobs/list", {});
    out.result(
      renderCode(
        code,
        jobs.find(({ id }) => id === jobId),
      ),
    );
    for (const [minion, given] of entries) {
      const value = await expandJson(connection, given);
      await printPieces(out.results, connection, renderStatusEntry(minion, value));
    }
  }
  if (code === JOB_ID_LOST_IN_SPACE) await noteWhy(session, connection, jobId);
  const failed = code === JOB_ID_LOST_IN_SPACE || entries.some(([, value]) => isRemoteError(value));
  return failed ? EXIT_FAILED : EXIT_OK;
}

/** Those of the job's minions that are meant; some may have been forgotten since. */
async function minionsMeant(
  connection: OverlordConnection,
  targets: TargetSpec,
  jobId: string,
): Promise<ReadonlySet<string>> {
  const ofJob = await minionsOf(connection, jobId);
  const known = await connection.request("minions/list", {});
  const groups = usesGroups(targets) ? await connection.request("groups/list", {}) : [];
  const matched = matchTargets(
    targets,
    jobNames([...new Set([...known.map(({ name }) => name), ...ofJob.keys()])], ofJob),
    new Map(groups.map(({ name, hosts }) => [name, hosts])),
  );
  const meant = new Set(matched.filter((name) => ofJob.has(name)));
  if (meant.size > 0) return meant;
  throw new FuncError(
    "no-match",
    `"${targets.spec}"${targets.exclude === undefined ? "" : ", less what is excluded,"} matches none of the minions of the job ${jobId}.`,
    'Ask for "*" to see them all.',
  );
}

/** What target expressions mean of a job, by the ways that its calls took. */
function jobNames(all: readonly string[], ofJob: ReadonlyMap<string, NamedMinion>): HostNames {
  const names = new Map<string, string>();
  for (const { name, path = [] } of ofJob.values()) {
    const hops = path.slice(0, -1);
    for (const hop of [hops.at(-1) ?? "", hops.join("/")]) {
      if (hop !== "") names.set(`${path.at(-1) ?? ""}@${hop}`.toLowerCase(), name);
    }
  }
  for (const name of all) names.set(name.toLowerCase(), name);
  return {
    all,
    one: (name) => names.get(name.toLowerCase()),
    many: (glob) => {
      const { means } = minionGlob(glob);
      return all.filter((name) => means(ofJob.get(name) ?? { name }));
    },
  };
}

/** By name. */
async function minionsOf(
  connection: OverlordConnection,
  jobId: string,
): Promise<Map<string, NamedMinion>> {
  const minions = new Map<string, NamedMinion>();
  for (let from = 0; ; from += PAGE) {
    const { results } = await connection.request("jobs/results", { jobId, from, limit: PAGE });
    for (const { minion: name, via = [] } of results) {
      const own = name.split("@", 1)[0] ?? name;
      minions.set(name, via.length > 0 ? { name, path: [...via, own] } : { name });
    }
    if (results.length < PAGE) return minions;
  }
}

/** The code says no more than that the job is unknown. */
async function noteWhy(
  { out }: Session,
  connection: OverlordConnection,
  jobId: string,
): Promise<void> {
  try {
    await minionsOf(connection, jobId);
  } catch (error) {
    if (!(error instanceof FuncError)) throw error;
    out.note(`func: ${error.message}\n`);
    if (error.nextStep !== undefined) out.note(`      ${error.nextStep}\n`);
  }
}
