import type { FuncError } from "../../server/common/errors";
import type { EditGroupParams, GroupRecord } from "../../server/protocol/groups";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";
import type { MinionsModel } from "./minionsModel";

/** The groups as this window last heard of them, and whom they mean. */
export class GroupsModel {
  private current: readonly GroupRecord[] = [];
  private failure: FuncError | undefined;
  private loading: Promise<boolean> | undefined;
  private loadingNext: Promise<boolean> | undefined;
  private matches = new Map<string, Promise<readonly string[]>>();

  constructor(
    private readonly session: OverlordSession,
    private readonly minions: MinionsModel,
  ) {}

  /** Sorted by name. */
  get records(): readonly GroupRecord[] {
    return this.current;
  }

  /** Why the file of groups cannot be read; its other content is unknown then. */
  get problem(): FuncError | undefined {
    return this.failure;
  }

  /**
   * Asks for the groups. True where they differ from before. Never rejects. All that come while an
   * answer is awaited share the one after it, which has what changed meanwhile.
   */
  load(): Promise<boolean> {
    if (this.loading) {
      this.loadingNext ??= this.loading.then(() => {
        this.loadingNext = undefined;
        return this.load();
      });
      return this.loadingNext;
    }
    this.loading = this.ask().finally(() => (this.loading = undefined));
    return this.loading;
  }

  /** Changes a group. Throws FuncError, and nothing is changed then. */
  async edit(params: EditGroupParams): Promise<void> {
    this.take(await this.session.request("groups/edit", params), undefined);
  }

  /** Enrolled minions of a group, or of one of its globs, sorted. Rejects where the overlord is lost. */
  async members(group: string, pattern?: string): Promise<readonly string[]> {
    if (pattern !== undefined) return this.matching(pattern);
    const hosts = this.current.find(({ name }) => name === group)?.hosts ?? [];
    const matching = await Promise.all(hosts.filter(isGlob).map((glob) => this.matching(glob)));
    const named = hosts.filter((host) => this.minions.get(host));
    return matching.length === 0
      ? named.sort()
      : [...new Set([...named, ...matching.flat()])].sort();
  }

  /** Minions came or went: whom the groups mean is to be asked anew. */
  forgetMembers(): void {
    this.matches.clear();
  }

  private async ask(): Promise<boolean> {
    try {
      return this.take(await this.session.request("groups/list", {}), undefined);
    } catch (error) {
      const failure = asFuncError(error);
      const damaged = failure.reason === "bad-data" || failure.reason === "too-large";
      // a lost overlord is said elsewhere; its groups are no longer known
      return this.take([], damaged ? failure : undefined);
    }
  }

  private take(records: readonly GroupRecord[], failure: FuncError | undefined): boolean {
    const before = JSON.stringify([this.current, this.failure?.message]);
    this.current = records;
    this.failure = failure;
    this.matches.clear();
    return JSON.stringify([records, failure?.message]) !== before;
  }

  private matching(pattern: string): Promise<readonly string[]> {
    const known = this.matches.get(pattern);
    if (known) return known;
    const asked = this.match(pattern);
    this.matches.set(pattern, asked);
    return asked;
  }

  private async match(spec: string): Promise<readonly string[]> {
    try {
      const { names } = await this.session.request("minions/match", { spec });
      return names;
    } catch (error) {
      if (asFuncError(error).reason === "no-match") return [];
      this.matches.delete(spec);
      throw error;
    }
  }
}

/** Whether an entry of a group is a glob and not a name. */
export function isGlob(entry: string): boolean {
  return /[*?[]/.test(entry);
}
