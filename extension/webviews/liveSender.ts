import type { Disposable } from "vscode";
import type { JobOutputs } from "../jobs/jobOutputs";
import type { LiveLine, ToResults } from "./resultsProtocol";

/** More pictures a second nobody sees. */
const BATCH_MS = 50;
/** Lines that wait for their picture; a webview shows the last ones only. */
const MAX_WAITING = 20_000;
const MAX_LINES = 2_000;
const MAX_NOTES = 20;

/** Sends the lines that a job's commands write to the webview, while somebody looks at them. */
export class LiveSender implements Disposable {
  private following: Disposable | undefined;
  private lines: LiveLine[] = [];
  private notes: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly outputs: JobOutputs,
    private readonly jobId: string,
    private readonly post: (message: ToResults) => void,
  ) {}

  /** Each time anew from the beginning: the webview has forgotten what it had. */
  watch(watch: boolean): void {
    this.stop();
    if (!watch) return;
    this.following = this.outputs.follow(this.jobId, ({ lines, problems }) => {
      this.lines.push(...lines);
      if (this.lines.length > MAX_WAITING) this.lines.splice(0, this.lines.length - MAX_WAITING);
      this.notes = [...new Set([...this.notes, ...problems])].slice(0, MAX_NOTES);
      this.timer ??= setTimeout(() => this.send(), BATCH_MS);
    });
  }

  stop(): void {
    this.following?.dispose();
    this.following = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.lines = [];
    this.notes = [];
  }

  dispose(): void {
    this.stop();
  }

  private send(): void {
    this.timer = undefined;
    this.post({ type: "live", lines: this.lines.splice(0, MAX_LINES), notes: this.notes });
    if (this.lines.length > 0) this.timer = setTimeout(() => this.send(), 0);
  }
}
