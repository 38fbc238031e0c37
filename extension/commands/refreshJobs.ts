import type { Services } from "../services";

/** Asks for the jobs anew. */
export async function refreshJobs({ session, jobList }: Services): Promise<void> {
  if (session.state.kind === "failed") await session.reconnect();
  await jobList.load();
}

/** Shows more of the finished jobs. */
export async function showOlderJobs({ jobList }: Services): Promise<void> {
  await jobList.loadOlder();
}
