import { minionRegistry } from "./minion";
import type { MethodRegistry } from "./methodRegistry";
import type { JobsParts } from "./modules/jobs";
import type { TrustParts } from "./modules/trust";

/** The methods of the minion of this home as they are declared, to read about them: none of them can be called. */
export function describedMethods(home: string): MethodRegistry {
  return minionRegistry(home, {} as JobsParts, {} as TrustParts);
}
