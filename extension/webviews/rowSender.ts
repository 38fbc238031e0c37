import type { Disposable } from "vscode";
import type { ResultRow, ResultsHeader, ToResults } from "./resultsProtocol";

/** Results come in bursts; more than 25 pictures a second nobody sees. */
const BATCH_MS = 40;
/** Rows in one message: it is packed and unpacked in a few milliseconds. */
const MAX_ROWS = 250;

/** What the sender takes the rows from, as they stand when they are sent. */
export interface RowSource {
  header(): ResultsHeader | undefined;
  rows(): ReadonlyMap<string, ResultRow> | undefined;
}

/** Sends rows to the webview in pieces: all of them when it begins, then those that change. */
export class RowSender implements Disposable {
  /** Names of the minions whose rows are to be sent. */
  private readonly due = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  /** The next message replaces all that the webview has. */
  private anew = false;

  constructor(
    private readonly source: RowSource,
    private readonly post: (message: ToResults) => void,
  ) {}

  /** Sends everything, the first piece at once. */
  sendAll(): void {
    clearTimeout(this.timer);
    this.due.clear();
    for (const minion of this.source.rows()?.keys() ?? []) this.due.add(minion);
    this.anew = true;
    this.sendPiece();
  }

  /** Sends these rows, and the header, soon. */
  send(rows: Iterable<ResultRow>): void {
    for (const { minion } of rows) this.due.add(minion);
    this.timer ??= setTimeout(() => this.sendPiece(), BATCH_MS);
  }

  /** Nobody looks: what was to be sent is part of the next `sendAll`. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.due.clear();
  }

  dispose(): void {
    this.stop();
  }

  private sendPiece(): void {
    this.timer = undefined;
    const header = this.source.header();
    const known = this.source.rows();
    if (!header || !known) return;
    const rows: ResultRow[] = [];
    for (const minion of this.due) {
      this.due.delete(minion);
      const row = known.get(minion);
      if (row) rows.push(row);
      if (rows.length >= MAX_ROWS) break;
    }
    this.post({ type: this.anew ? "snapshot" : "delta", header, rows });
    this.anew = false;
    // in between, others have their turn
    if (this.due.size > 0) this.timer = setTimeout(() => this.sendPiece(), 0);
  }
}
