import type { JsonValue } from "../../server/protocol/value";

/** A call that is asked about again, with the answers of then in the boxes. */
export interface CallToRepeat {
  spec: string;
  exclude?: string;
  module: string;
  method: string;
  /** Undefined where they were not kept, or are not known to this window. */
  args?: readonly JsonValue[];
}

/** What commands get as `{again: ...}` in the place of a tree's item. */
export function callToRepeat(item: unknown): CallToRepeat | undefined {
  const holds = typeof item === "object" && item !== null && "again" in item;
  return holds ? (item.again as CallToRepeat | undefined) : undefined;
}
