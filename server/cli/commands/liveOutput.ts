import { followOutput } from "../../client/followOutput";
import type { OutputLine } from "../../client/outputLines";
import { isUnavailable } from "../../client/responseError";
import { FuncError, messageOf } from "../../common/errors";
import { isCommandRun, type MinionResult } from "../../protocol/jobs";
import { commandStatus } from "../render";
import { nameWithWay } from "../resultWay";
import type { CalledMethod } from "../resultStep";
import type { Session } from "../session";

/** Longest wait for the last lines of a minion that has its result. */
const LAST_LINES_MS = 10_000;

/** What the commands of a job write, merged: `minion | line`, and `minion ! line` for what they wrote to stderr. */
export class LiveOutput {
  readonly #stop = new AbortController();
  readonly #ended = new Set<string>();
  readonly #problems = new Map<string, string>();
  readonly #following: Promise<void>;
  #isOver = false;
  #wake = (): void => undefined;

  constructor(
    private readonly session: Session,
    jobId: string,
    minions: readonly string[] | undefined,
    onNews: () => void,
  ) {
    this.#following = followOutput(session.overlord, jobId, {
      ...(minions && { minions }),
      signal: this.#stop.signal,
      onLines: (lines) => {
        onNews();
        return this.#print(lines);
      },
      onEnded: (minion) => {
        this.#ended.add(minion);
        this.#wake();
      },
      onProblem: (minion, message) => {
        this.#problem(minion, message);
      },
    })
      .catch((error: unknown) => {
        // that the job or the overlord is gone is told by who follows the job
        if (this.#stop.signal.aborted || isUnavailable(error) || isNotFound(error)) return;
        session.out.note(`func: no output: ${messageOf(error)}\n`);
      })
      .finally(() => {
        this.#isOver = true;
        this.#wake();
      });
  }

  /** Shows a result once its lines are all there; false where it is to be shown as a whole. */
  async show(result: MinionResult, called: CalledMethod | undefined): Promise<boolean> {
    const { minion } = result;
    await this.#allLines(minion);
    const status = result.exitStatus ?? commandStatus(result.value);
    const isShown = called && isCommandRun(called) && this.#ended.has(minion);
    if (!isShown || status === undefined || this.#problems.has(minion)) return false;
    this.session.out.result(`${nameWithWay(result)}: exit status ${status}\n`);
    return true;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #allLines(minion: string): Promise<void> {
    const until = Date.now() + LAST_LINES_MS;
    while (!this.#ended.has(minion) && !this.#problems.has(minion) && !this.#isOver) {
      const left = until - Date.now();
      if (left <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  async #print(lines: readonly OutputLine[]): Promise<void> {
    const text = lines.map(
      ({ minion, stream, text }) => `${minion} ${stream === "stderr" ? "!" : "|"} ${text}\n`,
    );
    await this.session.out.results.chunk(text.join(""));
  }

  /** It is told again after a reconnect. */
  #problem(minion: string, message: string): void {
    if (this.#problems.get(minion) !== message) this.session.out.note(`${minion}: ${message}\n`);
    this.#problems.set(minion, message);
    this.#wake();
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "not-found";
}
