import { setMaxListeners } from "node:events";
import { FuncError } from "../common/errors";
import type { MethodDescription, ModuleDescription } from "../protocol/methods";
import type { MinionRecord } from "../protocol/minions";
import { describeMinion } from "./describeMinion";
import type { MinionCaller } from "./minionCaller";

/** A host may be upgraded at any time. */
const KEEP_MS = 10 * 60_000;
const MAX_KEPT = 2_000;
/** How many are asked at the same time until the first answers. */
const ASKED_AT_ONCE = 4;

export interface MinionModules {
  minion: string;
  modules: ModuleDescription[];
}

/** Modules and methods of minions, remembered for a while. */
export class MethodDirectory {
  private readonly kept = new Map<string, { modules: ModuleDescription[]; untilMs: number }>();

  constructor(private readonly caller: MinionCaller) {}

  /** What is remembered of one method on any of the minions. */
  find(minions: readonly string[], module: string, method: string): MethodDescription | undefined {
    for (const minion of minions) {
      const modules = this.kept.get(minion)?.modules;
      const found = modules?.find(({ name }) => name === module);
      if (found) return found.methods.find(({ name }) => name === method);
    }
    return undefined;
  }

  forget(minion: string): void {
    this.kept.delete(minion);
  }

  /**
   * The modules of the first of the minions that answers; those seen online are asked first. Throws
   * FuncError "unreachable" where none does, "cancelled".
   */
  async describe(minions: readonly MinionRecord[], signal: AbortSignal): Promise<MinionModules> {
    const now = Date.now();
    for (const { name, state } of minions) {
      const kept = this.kept.get(name);
      if (kept && kept.untilMs > now && state !== "unreachable") {
        return { minion: name, modules: kept.modules };
      }
    }
    const order = [...minions].sort((a, b) => rank(a) - rank(b));
    return this.ask(order, signal);
  }

  private async ask(order: readonly MinionRecord[], signal: AbortSignal): Promise<MinionModules> {
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    setMaxListeners(0, either);
    let next = 0;
    let found: MinionModules | undefined;
    let problem: unknown;
    const worker = async (): Promise<void> => {
      for (let minion = order[next++]; minion; minion = order[next++]) {
        if (either.aborted) return;
        try {
          const modules = await describeMinion(minion, this.caller, either);
          this.keep(minion.name, modules);
          found ??= { minion: minion.name, modules };
          enough.abort();
        } catch (error) {
          problem ??= error;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, order.length) }, worker));
    if (found) return found;
    if (signal.aborted) throw new FuncError("cancelled", "Asking for the methods was cancelled.");
    if (problem instanceof FuncError) throw problem;
    throw new FuncError("unreachable", "None of the minions answered.");
  }

  private keep(minion: string, modules: ModuleDescription[]): void {
    this.kept.delete(minion);
    this.kept.set(minion, { modules, untilMs: Date.now() + KEEP_MS });
    const oldest = this.kept.keys().next();
    if (this.kept.size > MAX_KEPT && !oldest.done) this.kept.delete(oldest.value);
  }
}

function rank({ state }: MinionRecord): number {
  return state === "online" ? 0 : state === "unknown" ? 1 : 2;
}
