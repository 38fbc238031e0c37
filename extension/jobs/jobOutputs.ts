import type { Disposable } from "vscode";
import type { JobOutput } from "../../server/protocol/jobs";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";
import { OutputLines, type OutputLine } from "../../server/client/outputLines";

/** What is told to who follows a job's output. */
export interface OutputNews {
  lines: OutputLine[];
  /** Minions that write no more. */
  ended: readonly string[];
  /** Sentences for people: whose output cannot be followed, and why. */
  problems: readonly string[];
}

interface Follower {
  lines: OutputLines;
  tell: (news: OutputNews) => void;
}

/** The outputs of jobs that this window follows; several may follow one. */
export class JobOutputs implements Disposable {
  private readonly followers = new Map<string, Set<Follower>>();
  private readonly subscriptions: Disposable[];

  constructor(private readonly session: OverlordSession) {
    this.subscriptions = [
      session.onJobOutput((output) => this.take(output)),
      session.onDidRestart(() => {
        for (const jobId of this.followers.keys()) void this.ask(jobId);
      }),
    ];
  }

  /** Tells `tell` all that the job's commands wrote and will write, each line once, until disposed. */
  follow(jobId: string, tell: (news: OutputNews) => void): Disposable {
    const follower = { lines: new OutputLines(), tell };
    const others = this.followers.get(jobId) ?? new Set();
    this.followers.set(jobId, others.add(follower));
    void this.ask(jobId);
    return {
      dispose: () => {
        others.delete(follower);
        if (others.size > 0) return;
        this.followers.delete(jobId);
        if (this.session.state.kind !== "connected") return;
        this.session.request("jobs/unfollow", { jobId }).catch(() => undefined);
      },
    };
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.followers.clear();
  }

  private async ask(jobId: string): Promise<void> {
    const [first, ...others] = this.followers.get(jobId) ?? [];
    if (!first) return;
    // a newcomer needs it from the beginning; the others know what they have
    const offsets = others.length === 0 ? first.lines.offsets() : undefined;
    try {
      await this.session.request("jobs/follow", { jobId, offsets });
    } catch (error) {
      const { message } = asFuncError(error);
      for (const { tell } of this.followers.get(jobId) ?? []) {
        tell({ lines: [], ended: [], problems: [message] });
      }
    }
  }

  private take({ jobId, pieces, ended, problems = [] }: JobOutput): void {
    for (const { lines, tell } of this.followers.get(jobId) ?? []) {
      const news = pieces.flatMap((piece) => lines.take(piece));
      for (const minion of ended) news.push(...lines.end(minion));
      tell({
        lines: news,
        ended,
        problems: problems.map(({ minion, message }) => `${minion}: ${message}`),
      });
    }
  }
}
