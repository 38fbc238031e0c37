import { EventEmitter, l10n, type Disposable, type Pseudoterminal } from "vscode";
import { inertText } from "../../server/common/inertText";
import { targetsText, type JobSummary } from "../../server/protocol/jobs";
import type { Services } from "../services";
import { fullOutcome } from "./jobOutcome";
import type { OutputNews } from "./jobOutputs";
import type { TrackedJob } from "./trackedJob";

/** Names of this length stand below each other. */
const MAX_NAME = 24;
/** What a finished job's minions wrote last may come a moment later. */
const LAST_WORDS_MS = 2_000;
const CTRL_C = "\x03";

const CYAN = "\x1b[36m";
const RED = "\x1b[31m";
const PLAIN = "\x1b[0m";

/** Shows what a job's commands write, line by line as `minion | text`, until the job ends. */
export class FollowTerminal implements Pseudoterminal {
  private readonly writing = new EventEmitter<string>();
  private readonly closing = new EventEmitter<void>();
  readonly onDidWrite = this.writing.event;
  readonly onDidClose = this.closing.event;
  private readonly quiet = new Set<string>();
  private width = 0;
  private over = false;
  private job: TrackedJob | undefined;
  private subscriptions: Disposable[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly services: Pick<Services, "jobs" | "jobOutputs">,
    private readonly summary: JobSummary,
  ) {}

  open(): void {
    const { module, method, argsText, id } = this.summary;
    const call = inertText(`${module}.${method}(${argsText})`);
    this.say(l10n.t("Output of {0} on {1}", call, inertText(targetsText(this.summary))));
    this.say(
      l10n.t('Lines marked "!" were written to stderr. Ctrl+C ends this view, not the job.'),
    );
    this.job = this.services.jobs.acquire(id);
    this.subscriptions = [
      this.job.onDidChange(() => this.look()),
      this.services.jobOutputs.follow(id, (news) => this.take(news)),
    ];
    this.look();
  }

  close(): void {
    this.stop();
    this.writing.dispose();
    this.closing.dispose();
  }

  handleInput(data: string): void {
    if (this.over) this.closing.fire();
    else if (data === CTRL_C) this.end(l10n.t("No longer followed; the job goes on."));
  }

  private take({ lines, ended, problems }: OutputNews): void {
    for (const { minion } of lines) {
      this.width = Math.min(MAX_NAME, Math.max(this.width, minion.length));
    }
    const rows = lines.map(({ minion, stream, text }) => {
      const name = minion.padEnd(this.width);
      return stream === "stderr"
        ? `${CYAN}${name}${PLAIN} ${RED}! ${text}${PLAIN}\r\n`
        : `${CYAN}${name}${PLAIN} | ${text}\r\n`;
    });
    if (rows.length > 0) this.writing.fire(rows.join(""));
    for (const minion of ended) this.quiet.add(minion);
    for (const problem of problems) {
      // it is told again after a reconnect
      if (!this.quiet.has(problem)) this.say(inertText(problem));
      this.quiet.add(problem);
    }
    this.look();
  }

  private look(): void {
    const summary = this.job?.state?.summary ?? this.summary;
    if (this.over || !summary.finished) return;
    const all = this.quiet.size >= summary.total;
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => this.end(l10n.t("The job has {0}.", fullOutcome(summary))),
      all ? 0 : LAST_WORDS_MS,
    );
  }

  private end(why: string): void {
    if (this.over) return;
    this.over = true;
    this.say(why);
    this.say(l10n.t("Press any key to close."));
    this.stop();
  }

  private say(text: string): void {
    this.writing.fire(`— ${text}\r\n`);
  }

  private stop(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions.splice(0)) subscription.dispose();
    if (this.job) this.services.jobs.release(this.job);
    this.job = undefined;
  }
}
