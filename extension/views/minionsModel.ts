import type { MinionRecord, MinionsChanged } from "../../server/protocol/minions";

/** The inventory as this window last heard of it: what the tree and the pickers show. */
export class MinionsModel {
  private readonly records = new Map<string, MinionRecord>();
  private sorted: readonly string[] | undefined;

  get size(): number {
    return this.records.size;
  }

  get(name: string): MinionRecord | undefined {
    return this.records.get(name);
  }

  /** All names, sorted. */
  names(): readonly string[] {
    // compared by code unit: groups by prefix need names with the same beginning side by side
    this.sorted ??= [...this.records.keys()].sort();
    return this.sorted;
  }

  replace(records: readonly MinionRecord[]): void {
    this.records.clear();
    for (const record of records) this.records.set(record.name, record);
    this.sorted = undefined;
  }

  /** Applies what changed. True where minions came or went, so that the levels of the tree differ. */
  apply({ changed, removed }: MinionsChanged): boolean {
    let membersChanged = false;
    for (const name of removed) membersChanged = this.records.delete(name) || membersChanged;
    for (const record of changed) {
      if (!this.records.has(record.name)) membersChanged = true;
      this.records.set(record.name, record);
    }
    if (membersChanged) this.sorted = undefined;
    return membersChanged;
  }
}
