import type { Services } from "../services";

/** Connects to the overlord anew after it could not start, or kept stopping. */
export async function retry({ session }: Services): Promise<void> {
  await session.reconnect();
}
