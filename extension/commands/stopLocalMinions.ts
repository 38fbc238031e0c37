import type { Services } from "../services";

/** Stops the minions that "Try It with Three Local Minions" started; they stay in the list. */
export async function stopLocalMinions({ localMinions, minionsView }: Services): Promise<void> {
  await localMinions.stop();
  await minionsView.refresh();
}
