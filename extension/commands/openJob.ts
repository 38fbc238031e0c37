import type { Services } from "../services";
import { isJobNode } from "../views/jobNode";

/** Opens the results of the job that was chosen in the view "Jobs". */
export function openJob({ results }: Services, item?: unknown): Promise<void> {
  if (isJobNode(item) && item.kind === "job") results.show(item.id);
  return Promise.resolve();
}
