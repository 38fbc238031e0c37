import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { MinionCaller } from "../calls/minionCaller";
import { callsAtHop } from "../jobs/engine/callsAtHop";
import type { JobRun, JobTools } from "../jobs/engine/jobRun";
import type { LaterEnds } from "../jobs/engine/laterWords";
import {
  nextHop,
  type HopCaller,
  type LaterQuestion,
  type MinionBehind,
} from "../jobs/engine/minionsBehind";
import { cancelledResult, type Ending } from "../jobs/engine/outcome";
import { settle } from "../jobs/engine/settle";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import type { DelegationMaps } from "./delegationMaps";
import { endingOfLeft, notSent, type LeftBehind } from "./hopEndings";
import { callOverHop } from "./hopJob";
import { laterEnds } from "./laterEnds";
import { HopValues } from "./hopValues";
import { OtherRoutes } from "./otherRoutes";
import { ResultTrust } from "./resultTrust";
import { signedTargets, type Originator, type SignedTargets } from "./signedTargets";

export interface HopCallsParts {
  caller: MinionCaller;
  inventory: Inventory;
  maps: DelegationMaps;
  outputs: OutputFiles;
  /** Who signs calls here. */
  originator: () => Promise<Originator>;
  log: Log;
}

/** What all hops of one run share. */
interface HopRun {
  run: JobRun;
  tools: JobTools;
  signed: SignedTargets;
  routes: OtherRoutes;
  trust: ResultTrust | undefined;
  /** By name, those that are called once more over another hop, and who may have begun them. */
  doubts: Map<string, Doubt[]>;
}

/** A hop that may have begun a call in a job of its own. */
interface Doubt {
  hop: MinionRecord;
  id: string;
  /** With its path over that hop. */
  minion: MinionBehind;
}

/** Calls minions behind sub-overlords: each next hop once for all behind it, and around hops that fail. */
export class HopCalls implements HopCaller {
  private readonly values: HopValues;
  private readonly trust: ResultTrust;

  constructor(private readonly parts: HopCallsParts) {
    const { caller, maps, outputs, log } = parts;
    this.values = new HopValues(caller, outputs);
    this.trust = new ResultTrust(maps.identities, outputs, log);
  }

  async call(run: JobRun, tools: JobTools): Promise<void> {
    const { maps, inventory, originator } = this.parts;
    let signed: SignedTargets;
    try {
      signed = await signedTargets(run, originator);
    } catch (error) {
      const problem = messageOf(error);
      await Promise.all(run.behind.map((one) => end(run, tools, one, notSent(one, problem))));
      return;
    }
    const routes = new OtherRoutes(maps, inventory, run.record.mapFile);
    const trust = run.above ? undefined : this.trust;
    const doubts = doubtsOf(run, inventory);
    const whole: HopRun = { run, tools, signed, routes, trust, doubts };
    // what an earlier process had a hop begin is one job there, beside what it has not begun
    const starts = groupBy(run.behind, ({ name }) => run.past.get(name)?.minionJobId);
    await Promise.all([...starts.values()].map((one) => this.callAll(whole, one, new Set())));
    if (!run.job.isSuspended) tellDoubts(whole);
  }

  laterEnds(question: LaterQuestion): Promise<LaterEnds> {
    return laterEnds(question, this.parts.caller, this.trust);
  }

  /** `failed`: hops that these were not to be reached by. */
  private async callAll(
    whole: HopRun,
    minions: readonly MinionBehind[],
    failed: ReadonlySet<string>,
  ): Promise<void> {
    const groups = groupBy(minions, nextHop);
    await Promise.all([...groups].map(([hop, group]) => this.callHop(whole, hop, group, failed)));
  }

  private async callHop(
    whole: HopRun,
    hopName: string,
    minions: readonly MinionBehind[],
    failed: ReadonlySet<string>,
  ): Promise<void> {
    const { run } = whole;
    const hop = this.parts.inventory.find(hopName);
    if (!hop) {
      const cause = `${hopName} is no minion of this overlord.`;
      const failure = { failedHop: hopName, cause, mayHaveRun: false };
      const left = minions.map((minion) => ({ minion, ...failure }));
      await this.goAround(whole, left, failed);
      return;
    }
    const others: Promise<void>[] = [];
    const left = await callOverHop({
      ...whole,
      hop,
      minions,
      values: this.values,
      isDoubtful: (name) => whole.doubts.has(name),
      takeOver: async (open, id) => {
        const found = await this.otherWays(whole, open, new Set([...failed, hopName]), true);
        doubt(whole, [...found.keys()], hop, id);
        others.push(this.callAll(whole, [...found.values()], new Set([...failed, hopName])));
        return [...found.keys()];
      },
    });
    if (!run.job.isSuspended) await this.goAround(whole, left, failed);
    await Promise.all(others);
  }

  /** Over another path where there is one; else that is their end. */
  private async goAround(
    whole: HopRun,
    left: readonly LeftBehind[],
    failed: ReadonlySet<string>,
  ): Promise<void> {
    const { run, tools, doubts } = whole;
    const known = left.map((one) =>
      doubts.has(one.minion.name) ? { ...one, mayHaveRun: true } : one,
    );
    await Promise.all(
      [...groupBy(known, ({ failedHop }) => failedHop)].map(async ([failedHop, all]) => {
        const without = new Set([...failed, failedHop]);
        const unsure = all.filter(({ mayHaveRun }) => mayHaveRun).map(({ minion }) => minion);
        const sure = all.filter(({ mayHaveRun }) => !mayHaveRun).map(({ minion }) => minion);
        const found = new Map([
          ...(await this.otherWays(whole, unsure, without, true)),
          ...(await this.otherWays(whole, sure, without, false)),
        ]);
        const rest = all.filter(({ minion }) => !found.has(minion));
        const hop = this.parts.inventory.find(failedHop);
        const begun = all.filter(({ minion, mayHaveRun }) => mayHaveRun && found.has(minion));
        for (const [id, those] of groupBy(begun, ({ awayWith }) => awayWith)) {
          const minions = those.map(({ minion }) => minion);
          if (hop) doubt(whole, minions, hop, id);
        }
        await Promise.all([
          this.callAll(whole, [...found.values()], without),
          ...rest.map((one) => end(run, tools, one.minion, endingOf(run, blamed(whole, one)))),
        ]);
        if (!run.job.isSuspended) this.followLater(whole, failedHop, rest);
      }),
    );
  }

  /** A hop that is away with the job may come back, and tell how those ended that are lost here. */
  private followLater({ run, tools }: HopRun, hopName: string, lost: readonly LeftBehind[]): void {
    const hop = this.parts.inventory.find(hopName);
    if (!hop) return;
    for (const [id, all] of groupBy(lost, ({ awayWith }) => awayWith)) {
      if (id === undefined) continue;
      const names = all.map(({ minion }) => minion.name);
      for (const call of callsAtHop(run.job, hop, id, names)) tools.later.add(call);
    }
  }

  /** `mayHaveRun`: only those that run nothing twice. */
  private async otherWays(
    { run, routes }: HopRun,
    minions: readonly MinionBehind[],
    without: ReadonlySet<string>,
    mayHaveRun: boolean,
  ): Promise<Map<MinionBehind, MinionBehind>> {
    const { identities } = this.parts.maps;
    const found = new Map<MinionBehind, MinionBehind>();
    if (run.job.signal.aborted) return found;
    for (const minion of minions) {
      const other = await routes.without(without, minion);
      const isNative = identities.find(minion.path)?.native === true;
      if (other && (isNative || !mayHaveRun)) found.set(minion, other);
    }
    return found;
  }
}

/** The hop may have begun these, with the job `id` maybe, and they go on over others. */
function doubt(
  { run, tools, doubts }: HopRun,
  minions: readonly MinionBehind[],
  hop: MinionRecord,
  id: string | undefined,
): void {
  for (const minion of minions) {
    const known = doubts.get(minion.name) ?? [];
    doubts.set(minion.name, id === undefined ? known : [...known, { hop, id, minion }]);
  }
  void tools.journal.doubted(run.job, minions, hop.name, id);
}

/** Those that an earlier process has left. */
function doubtsOf({ past, behind }: JobRun, inventory: Inventory): HopRun["doubts"] {
  const doubts: HopRun["doubts"] = new Map();
  for (const minion of behind) {
    const all = past.get(minion.name)?.doubts;
    if (!all) continue;
    const places = all.flatMap(({ hop: name, hopJobId: id }): Doubt[] => {
      const hop = inventory.find(name);
      const path = [name, minion.path.at(-1) ?? minion.name];
      return hop && id !== undefined ? [{ hop, id, minion: { ...minion, path } }] : [];
    });
    doubts.set(minion.name, places);
  }
  return doubts;
}

/** What was not begun over this hop, but may have been over one before, was lost at that one. */
function blamed({ doubts }: HopRun, left: LeftBehind): LeftBehind {
  const [first] = doubts.get(left.minion.name) ?? [];
  if (!first || left.awayWith !== undefined) return left;
  const { minion, hop } = first;
  const cause = `it went away, and over ${left.failedHop} it was not begun: ${left.cause}`;
  return { minion, failedHop: hop.name, cause, mayHaveRun: true };
}

/** Hops that may have begun what then was cancelled, or lost, over another one: they are to stop it, or to tell its end. */
function tellDoubts({ run: { job }, tools, doubts }: HopRun): void {
  const owed = [...doubts].flatMap(([name, places]) => {
    const { state, mayHaveRun } = job.result(name);
    if (!mayHaveRun || (state !== "cancelled" && state !== "lost")) return [];
    return places.map(({ hop, id }) => ({ name, hop, id, state }));
  });
  for (const all of groupBy(owed, (one) =>
    JSON.stringify([one.hop.name, one.id, one.state]),
  ).values()) {
    const [first] = all;
    if (!first) continue;
    const names = all.map(({ name }) => name);
    for (const call of callsAtHop(job, first.hop, first.id, names)) {
      const doubtful = { ...call, isDoubt: true };
      if (first.state === "cancelled") tools.cancels.add(doubtful);
      else tools.later.add(doubtful);
    }
  }
}

function endingOf({ job, limit }: JobRun, left: LeftBehind): Ending {
  const { minion, mayHaveRun } = left;
  if (mayHaveRun || !job.signal.aborted) {
    return !mayHaveRun && limit.isPassed ? limit.skipped(minion) : endingOfLeft(left);
  }
  return cancelledResult({
    name: minion.name,
    address: nextHop(minion),
    port: 0,
  });
}

async function end(
  { job }: JobRun,
  { journal, keeper }: JobTools,
  minion: MinionBehind,
  ending: Ending,
): Promise<void> {
  if (job.isSuspended) return;
  const peer = { name: minion.name, address: nextHop(minion), port: 0 };
  await journal.ended(job, await settle(job, peer, ending, keeper));
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
