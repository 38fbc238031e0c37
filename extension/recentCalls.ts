import type { Disposable, Memento } from "vscode";
import type { MethodRisk } from "../server/protocol/methods";
import type { JsonValue } from "../server/protocol/value";
import { looksSecret } from "./secretText";

const KEY = "func.recentCalls";
const MAX_CALLS = 50;
/** Of the arguments' JSON and of the targets; VS Code reads all that is kept when a window opens. */
const MAX_CHARACTERS = 16_384;

/** A call that was made from this workspace. */
export interface RecentCall {
  /** Of the job that it was last made with. */
  jobId: string;
  spec: string;
  exclude?: string;
  /** Minions behind sub-overlords too. */
  delegate?: boolean;
  module: string;
  method: string;
  /** Undefined where they were secret, or too long to be kept: they are asked for again. */
  args?: readonly JsonValue[];
  risk?: MethodRisk;
  createdAtMs: number;
}

/** The last calls of this workspace, newest first, kept over a reload; none of them holds a secret. */
export class RecentCalls {
  private readonly listeners = new Set<() => void>();
  /** "module.method" of those that declare a secret argument. */
  private readonly secretMethods = new Set<string>();

  /** `memento`: of the workspace. */
  constructor(private readonly memento: Memento) {}

  list(): readonly RecentCall[] {
    const kept = this.memento.get<unknown>(KEY);
    return Array.isArray(kept) ? kept.filter(isRecentCall) : [];
  }

  /** What a job of this workspace was started with. */
  forJob(jobId: string): RecentCall | undefined {
    return this.list().find((call) => call.jobId === jobId);
  }

  /** From now on, arguments of this method are not kept. */
  noteSecret(module: string, method: string): void {
    this.secretMethods.add(`${module}.${method}`);
  }

  /** Puts a call first; the same call of earlier is replaced. One on thousands of names is not kept. */
  async add(call: RecentCall): Promise<void> {
    if (call.spec.length + (call.exclude?.length ?? 0) > MAX_CHARACTERS) return;
    const kept = { ...call, args: this.canKeep(call) ? call.args : undefined };
    const same = identity(kept);
    const others = this.list().filter((other) => identity(other) !== same);
    await this.store([kept, ...others].slice(0, MAX_CALLS));
  }

  async forget(jobId: string): Promise<void> {
    await this.store(this.list().filter((call) => call.jobId !== jobId));
  }

  async clear(): Promise<void> {
    await this.store([]);
  }

  onDidChange(listener: () => void): Disposable {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  private canKeep({ module, method, args }: RecentCall): boolean {
    if (!args || this.secretMethods.has(`${module}.${method}`)) return false;
    return JSON.stringify(args).length <= MAX_CHARACTERS && !args.some(looksSecret);
  }

  private async store(calls: readonly RecentCall[]): Promise<void> {
    await this.memento.update(KEY, calls);
    for (const listener of this.listeners) listener();
  }
}

function identity({ spec, exclude, module, method, args }: RecentCall): string {
  return JSON.stringify([spec, exclude, module, method, args]);
}

/** What another version of the extension kept may be of another form. */
function isRecentCall(value: unknown): value is RecentCall {
  if (typeof value !== "object" || value === null) return false;
  const { jobId, spec, module, method, args, createdAtMs } = value as Record<string, unknown>;
  return (
    [jobId, spec, module, method].every((text) => typeof text === "string") &&
    typeof createdAtMs === "number" &&
    (args === undefined || Array.isArray(args))
  );
}
