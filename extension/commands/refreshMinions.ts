import type { Services } from "../services";

/** Asks for the list anew and pings every minion in it. */
export async function refreshMinions({ session, minionsView }: Services): Promise<void> {
  if (session.state.kind === "failed") await session.reconnect();
  await minionsView.refresh();
}
