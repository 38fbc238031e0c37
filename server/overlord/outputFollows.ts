import type { MinionCaller } from "../calls/minionCaller";
import { FuncError } from "../common/errors";
import type { FollowedJob } from "../jobs/follow/followedJob";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import { OutputFollower, type FollowRequest } from "../jobs/follow/outputFollower";
import { OutputReads } from "../jobs/follow/outputReads";
import type { FollowParts } from "../jobs/follow/partFollower";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import type { ClientFeed } from "./clientFeed";

const MOST_PER_CLIENT = 50;

/** Which client follows the output of which jobs. */
export class OutputFollows {
  readonly #clients = new Map<ClientFeed, Map<string, OutputFollower>>();

  private constructor(private readonly parts: FollowParts) {}

  static of(caller: MinionCaller, outputs: OutputFiles, inventory: Inventory): OutputFollows {
    const findMinion = (name: string): MinionRecord | undefined => inventory.find(name);
    return new OutputFollows({ reads: new OutputReads(caller), outputs, findMinion });
  }

  /** Takes the place of an earlier one of this job. Throws FuncError "unavailable" where a client follows too many. */
  follow(feed: ClientFeed, job: FollowedJob, request: FollowRequest): void {
    this.unfollow(feed, job.id);
    if (feed.gone.aborted) return;
    const followed = this.#of(feed);
    if (followed.size >= MOST_PER_CLIENT) {
      throw new FuncError(
        "unavailable",
        `This client follows the output of ${MOST_PER_CLIENT} jobs, which is the limit.`,
        "Stop following one of them.",
      );
    }
    const sink = {
      room: () => feed.room(),
      send: (output: Parameters<ClientFeed["output"]>[0]) => feed.output(output),
    };
    const follower = new OutputFollower(job, this.parts, sink, request, () => {
      if (followed.get(job.id) === follower) followed.delete(job.id);
    });
    followed.set(job.id, follower);
  }

  unfollow(feed: ClientFeed, jobId: string): void {
    const followed = this.#clients.get(feed);
    followed?.get(jobId)?.close();
    followed?.delete(jobId);
  }

  #of(feed: ClientFeed): Map<string, OutputFollower> {
    const known = this.#clients.get(feed);
    if (known) return known;
    const followed = new Map<string, OutputFollower>();
    this.#clients.set(feed, followed);
    feed.gone.addEventListener("abort", () => {
      this.#clients.delete(feed);
      for (const follower of followed.values()) follower.close();
    });
    return followed;
  }
}
