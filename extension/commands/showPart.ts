import { activeResults, showPart } from "../documents/showResult";

/** Shows the next part of the large output in front. */
export async function nextPart(): Promise<void> {
  const shown = activeResults();
  if (shown) await showPart(shown, 1);
}

/** Shows the previous part of the large output in front. */
export async function previousPart(): Promise<void> {
  const shown = activeResults();
  if (shown) await showPart(shown, -1);
}
