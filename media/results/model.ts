import type {
  DetailSection,
  ResultsHeader,
  RowKind,
  ToResults,
} from "../../extension/webviews/resultsProtocol";
import { RowList } from "./rowList";

/** What an opened row shows. */
export type Detail =
  | { state: "loading" }
  | { state: "shown"; sections: DetailSection[]; leftOut: number }
  | { state: "failed"; message: string; nextStep?: string };

/** Everything the panel shows; changed by the host's messages and by the user. */
export class ResultsModel {
  readonly list = new RowList();
  header: ResultsHeader | undefined;
  lost: { message: string; nextStep?: string } | undefined;
  readonly details = new Map<string, Detail>();
  /** Measured heights of opened rows' details. */
  readonly heights = new Map<string, number>();
  /** The row that the keyboard is on. */
  active: string | undefined;

  /** Takes a message of the host; gives the opened minions whose details are out of date. */
  take(message: ToResults): string[] {
    switch (message.type) {
      case "snapshot":
        this.header = message.header;
        this.lost = undefined;
        this.list.replace(message.rows);
        return [...this.details.keys()];
      case "delta":
        this.header = message.header;
        this.list.update(message.rows);
        return message.rows
          .map(({ minion }) => minion)
          .filter((minion) => this.details.has(minion));
      case "detail":
        this.show(message.minion, {
          state: "shown",
          sections: message.sections,
          leftOut: message.leftOut,
        });
        return [];
      case "detailFailed":
        this.show(message.minion, { ...message, state: "failed" });
        return [];
      case "lost":
        this.lost = message;
        return [];
    }
  }

  toggleKind(kind: RowKind): void {
    this.list.setFilter(this.list.filter, this.list.kind === kind ? undefined : kind);
  }

  close(minion: string): void {
    this.details.delete(minion);
    this.heights.delete(minion);
  }

  private show(minion: string, detail: Detail): void {
    // closed meanwhile: the answer came too late
    if (this.details.has(minion)) this.details.set(minion, detail);
  }
}
