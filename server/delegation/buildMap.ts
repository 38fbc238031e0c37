import { FuncError } from "../common/errors";
import type {
  BuildMapParams,
  MapBefore,
  MapBuilding,
  MapBuildResult,
} from "../protocol/delegation";
import { planMap, type MapPlan } from "./buildMapPlan";
import { probeMinions, type ProbeTools } from "./buildMapProbe";
import { countNodes, MAX_MAP_DEPTH, MAX_MAP_NODES, type MapNode } from "./delegationMap";
import type { DelegationMaps } from "./delegationMaps";
import type { MapBelowAnswer, ProbedHost } from "./mapBelow";
import { mapChanges, mergeMaps } from "./mergeMaps";

const DEFAULT_TIMEOUT_MS = 60_000;
/** What a sub-overlord's answer needs of the time that the one above has given it. */
const SHARE_OF_HOST = 0.9;
/** More at the same time is a cycle that nobody noticed, or a mistake. */
const MOST_AT_ONCE = 16;
const PROGRESS_MS = 100;
/** Problems that are told one by one. */
const MAX_PROBLEMS = 2_000;
const LEARNT_ANEW =
  "Keys that it lacks were learnt anew, so that other ones than before went unnoticed. It is kept with .damaged in its name.";
/** Where a build has found nobody. */
const UNCHANGED: Readonly<Record<MapBefore, string>> = {
  good: "the delegation map stays as it was",
  "last-good": "the damaged delegation map stays as it is, and the last good one in use",
  damaged: "the damaged delegation map stays as it is",
  none: "no delegation map was made",
};

export interface MapBuilderParts extends ProbeTools {
  maps: DelegationMaps;
  /** Names this overlord among all, for good: hex SHA-256 of a key of its own. */
  identity: () => Promise<string>;
}

export interface BuildOptions {
  signal: AbortSignal;
  onProgress?: (progress: MapBuilding) => void;
  /** Somebody looks at the result: a host with another key than before is taken for the same one, and told. */
  attended: boolean;
}

/** Finds out who stands behind whom. */
export class MapBuilder {
  private underWay = 0;

  constructor(private readonly parts: MapBuilderParts) {}

  /** True while somebody waits for a map. */
  get isBusy(): boolean {
    return this.underWay > 0;
  }

  /**
   * Asks all minions, and sub-overlords for theirs, and writes `<data>/map`. Throws FuncError "cancelled" (the map is
   * as it was), "conflict" where a damaged one is to be added to, "unreachable" where nobody is alive.
   */
  async build(params: BuildMapParams, options: BuildOptions): Promise<MapBuildResult> {
    const { append = false, onlyAlive = false, timeoutMs = DEFAULT_TIMEOUT_MS } = params;
    const { maps, inventory } = this.parts;
    const minions = inventory.list();
    const progress = new Progress(options.onProgress);
    const hosts = await this.entered(async () =>
      probeMinions(this.parts, minions, {
        onlyAlive,
        timeoutMs,
        above: [await this.parts.identity()],
        depth: 1,
        budget: { left: MAX_MAP_NODES - minions.length },
        signal: options.signal,
        onAsked: (host) => {
          progress.asked(host);
        },
      }),
    );
    progress.end();
    const { lastMap, last } = await this.lastMap();
    await maps.identities.load();
    const seenBehind = (path: readonly string[]) => maps.identities.seenBehind(path);
    const plan = planMap(hosts, last, { onlyAlive, append, lastMap, seenBehind });
    if (plan.nodes.length === 0 && minions.length > 0) {
      throw new FuncError(
        "unreachable",
        `No minion answers, so ${UNCHANGED[lastMap]}.`,
        "Look at the network, then build it again.",
      );
    }
    const { problem } = maps.identities;
    const nodes = await this.write(plan.nodes, append);
    const rekeyed = await this.learn(plan, options.attended).finally(() => maps.built());
    return {
      file: maps.own.file,
      before: lastMap,
      hosts: countNodes(nodes),
      ...mapChanges(last, nodes),
      rekeyed,
      problems: plan.problems.slice(0, MAX_PROBLEMS),
      moreProblems: Math.max(0, plan.problems.length - MAX_PROBLEMS),
      ...(problem && { warning: `${problem.message} ${LEARNT_ANEW}` }),
    };
  }

  /** Those behind this overlord, for one above. */
  async below(
    params: { onlyAlive: boolean; timeoutMs: number; above: readonly string[] },
    signal: AbortSignal,
  ): Promise<MapBelowAnswer> {
    const own = await this.parts.identity();
    const { onlyAlive, above } = params;
    const timeoutMs = Math.floor(params.timeoutMs * SHARE_OF_HOST);
    if (above.includes(own)) return { cycle: true, hosts: [] };
    if (above.length >= MAX_MAP_DEPTH) {
      throw new FuncError("too-large", `${MAX_MAP_DEPTH} tiers of overlords are the most.`);
    }
    const hosts = await this.entered(() =>
      probeMinions(this.parts, this.parts.inventory.list(), {
        onlyAlive,
        timeoutMs,
        totalMs: timeoutMs,
        above: [...above, own],
        depth: above.length + 1,
        budget: { left: MAX_MAP_NODES },
        signal,
      }),
    );
    return { hosts };
  }

  private async lastMap(): Promise<{ lastMap: MapBefore; last: readonly MapNode[] }> {
    try {
      const { nodes, problem } = await this.parts.maps.current();
      return { lastMap: problem ? "last-good" : "good", last: nodes };
    } catch (error) {
      const isNone = error instanceof FuncError && error.reason === "not-found";
      return { lastMap: isNone ? "none" : "damaged", last: [] };
    }
  }

  private async entered<T>(run: () => Promise<T>): Promise<T> {
    if (this.underWay >= MOST_AT_ONCE) {
      throw new FuncError(
        "conflict",
        `${MOST_AT_ONCE} delegation maps are being built here already.`,
        "Try again later.",
      );
    }
    this.underWay++;
    try {
      return await run();
    } finally {
      this.underWay--;
    }
  }

  private write(found: readonly MapNode[], append: boolean): Promise<readonly MapNode[]> {
    const { own } = this.parts.maps;
    return own.edit((before) => {
      if (!append) return found;
      if (before) return mergeMaps(before, found);
      throw new FuncError(
        "conflict",
        `${own.file} is damaged, so that nothing can be added to it.`,
        "Correct the file (func map check tells where), or build it anew without --append.",
      );
    });
  }

  /** Those whose key is another than before. */
  private async learn({ keys, tellings }: MapPlan, attended: boolean): Promise<string[][]> {
    const { inventory, maps } = this.parts;
    const { identities } = maps;
    await identities.load();
    const rekeyed = keys.filter(({ path, key, native }) => {
      const other = identities.saw(path, key, native) === "other";
      // one's own minions are known by their certificates
      if (other && (attended || path.length === 1)) identities.replace(path, key, native);
      return other && path.length > 1;
    });
    const names = inventory.list().map(({ name }) => name);
    const own = { path: [], names, hosts: names.length, isWhole: true };
    identities.told([own, ...tellings], Date.now());
    await identities.save();
    return rekeyed.map(({ path }) => path);
  }
}

/** How far it is, told a few times a second. */
class Progress {
  private readonly state: MapBuilding = { asked: 0, known: 0 };
  private toldAtMs = -Infinity;

  constructor(private readonly tell: ((progress: MapBuilding) => void) | undefined) {}

  asked(host: ProbedHost): void {
    this.state.asked++;
    this.state.known += 1 + countNodes(host.children);
    if (performance.now() - this.toldAtMs >= PROGRESS_MS) this.end();
  }

  end(): void {
    this.toldAtMs = performance.now();
    this.tell?.({ ...this.state });
  }
}
