import { asFuncError } from "./errors";
import type { OverlordSession } from "./overlordSession";
import { delegates } from "./settings";

/**
 * Whether calls reach minions behind sub-overlords that nobody chose it for: by the setting, where there is a
 * delegation map. Of a damaged one the call itself tells. Throws FuncError where the overlord is lost.
 */
export async function delegateByDefault(session: OverlordSession): Promise<boolean> {
  if (!delegates()) return false;
  try {
    await session.request("map/paths", { names: [] });
    return true;
  } catch (error) {
    const { reason } = asFuncError(error);
    if (reason === "not-found") return false;
    if (reason === "bad-data") return true;
    throw error;
  }
}
