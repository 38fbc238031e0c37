import type {
  DetailSection,
  ResultsHeader,
  ResultsView,
  RowKind,
  ToResults,
} from "../../extension/webviews/resultsProtocol";
import { fold, majorityOf, type Group } from "./folding";
import { LiveLines } from "./liveLines";
import { groupItems, minionItems, type ListItem } from "./listItems";
import { OutputSearches } from "./outputSearch";
import { Peeks } from "./peeks";
import { Replay } from "./replay";
import { RowLayout, ROW_HEIGHT } from "./rowLayout";
import { RowList } from "./rowList";
import { Selection } from "./selection";

/** What an opened row shows. */
export type Detail =
  | { state: "loading" }
  | { state: "shown"; sections: DetailSection[] }
  | { state: "failed"; message: string; nextStep?: string };

/** A card before its content is there: heading, one line and the space around. */
const CARD_HEIGHT = 88;
/** Between cards; the stylesheet says the same. */
const CARD_SPACE = 10;

/** Everything the panel shows; changed by the host's messages and by the user. */
export class ResultsModel {
  /** What running commands write, while the live view shows. */
  readonly live = new LiveLines();
  /** Present while the time slider shows. */
  replay: Replay | undefined;
  readonly selection = new Selection();
  readonly searches = new OutputSearches();
  readonly details = new Map<string, Detail>();
  /** Keys of the groups whose minions are listed below them. */
  readonly openGroups = new Set<string>();
  readonly peeks: Peeks;
  header: ResultsHeader | undefined;
  lost: { message: string; nextStep?: string } | undefined;
  view: ResultsView = "output";
  private readonly now = new RowList();
  /** The rows as they stood where the time slider is. */
  private readonly then = new RowList();
  /** The item that the keyboard is on. */
  active: string | undefined;
  /** Measured heights of cards and opened rows. */
  private readonly heights = new Map<string, number>();
  private shownRows: readonly unknown[] | undefined;
  private folded: Group[] = [];
  private shownItems: ListItem[] | undefined;
  private shownLayout: RowLayout | undefined;
  private places: Map<string, number> | undefined;

  /** `askPeek` asks the host how a minion's result begins. */
  constructor(askPeek: (minion: string) => void) {
    this.peeks = new Peeks(askPeek);
  }

  /** The rows that show: as they stand, or as they stood where the time slider is. */
  get list(): RowList {
    return this.isReplaying ? this.then : this.now;
  }

  get isReplaying(): boolean {
    return this.replay?.complete === true && !this.replay.isEmpty;
  }

  /** Takes a message of the host; gives the opened minions whose details are out of date. */
  take(message: Exclude<ToResults, { type: "menu" }>): string[] {
    switch (message.type) {
      case "snapshot":
        this.lost = undefined;
        this.now.clear();
        this.peeks.clear();
        this.takeRows(message);
        return [...this.details.keys()];
      case "delta":
        this.takeRows(message);
        return message.rows
          .map(({ minion }) => minion)
          .filter((minion) => this.details.has(minion));
      case "detail":
        if (message.peek) this.peeks.take(message.minion, { state: "shown", ...message });
        else this.show(message.minion, { state: "shown", sections: message.sections });
        return [];
      case "detailFailed":
        if (message.peek) this.peeks.take(message.minion, { ...message, state: "failed" });
        else this.show(message.minion, { ...message, state: "failed" });
        return [];
      case "page":
        this.turn(message);
        return [];
      case "search":
        if (this.searches.take(message)) this.found();
        return [];
      case "live":
        this.live.add(message.lines);
        this.live.notes = message.notes;
        return [];
      case "replay":
        this.replay?.add(message.steps, message.complete, message.problem);
        this.replayed();
        return [];
      case "lost":
        this.lost = message;
        return [];
    }
  }

  /** Groups of the rows that show, by output. */
  groups(): readonly Group[] {
    const rows = this.list.shown();
    if (rows !== this.shownRows) {
      this.folded = fold(rows);
      this.shownRows = rows;
    }
    return this.folded;
  }

  majority(): Group | undefined {
    return majorityOf(this.groups());
  }

  items(): readonly ListItem[] {
    this.shownItems ??=
      this.view === "output"
        ? groupItems(this.groups(), this.openGroups)
        : minionItems(this.list.shown(), "alone");
    return this.shownItems;
  }

  layout(): RowLayout {
    const items = this.items();
    this.shownLayout ??= new RowLayout(items.length, (index) => {
      const item = items[index];
      return item ? this.heightOf(item) : 0;
    });
    return this.shownLayout;
  }

  /** Where an item stands among those that show; undefined where it does not. */
  indexOf(key: string | undefined): number | undefined {
    this.places ??= new Map(this.items().map((item, index) => [item.key, index]));
    return key === undefined ? undefined : this.places.get(key);
  }

  /** Notes an item's height as drawn; gives by how much it has changed. */
  measured(key: string, height: number): number {
    const index = this.indexOf(key);
    const before = this.heights.get(key);
    if (before === height || index === undefined) return 0;
    const change = height - this.layout().heightOf(index);
    this.heights.set(key, height);
    this.shownLayout = undefined;
    return change;
  }

  setFilter(text: string, kind: RowKind | undefined): void {
    for (const list of [this.now, this.then]) list.setFilter(text, kind);
    this.rearranged();
  }

  setView(view: ResultsView): void {
    this.view = view;
    this.active = undefined;
    this.rearranged();
  }

  setOrder(order: RowList["order"]): void {
    for (const list of [this.now, this.then]) list.setOrder(order);
    this.rearranged();
  }

  toggleGroup(key: string): void {
    if (!this.openGroups.delete(key)) this.openGroups.add(key);
    this.rearranged();
  }

  close(minion: string, key: string): void {
    this.details.delete(minion);
    this.heights.delete(key);
    this.shownLayout = undefined;
  }

  /** The search, or its end, changed what shows. */
  found(): void {
    const found = this.searches.current?.lines;
    for (const list of [this.now, this.then]) list.setFound(found);
    this.rearranged();
  }

  /** Opens the time slider; the host is to be asked for what happened. */
  beginReplay(): void {
    this.replay = new Replay(this.header?.startedAtMs ?? 0, () => this.now.all());
  }

  /** The job as it stands shows again. */
  endReplay(): void {
    this.replay = undefined;
    this.rearranged();
  }

  /** The time slider has moved, or what it moves over has changed. */
  replayed(): void {
    if (!this.replay || !this.isReplaying) return;
    this.then.clear();
    this.then.update(this.replay.rowsAt());
    this.rearranged();
  }

  rearranged(): void {
    this.shownItems = undefined;
    this.shownLayout = undefined;
    this.places = undefined;
  }

  private takeRows({ header, rows }: Extract<ToResults, { type: "snapshot" | "delta" }>): void {
    this.header = header;
    this.now.update(rows);
    this.replayed();
    this.rearranged();
  }

  private heightOf(item: ListItem): number {
    if (item.kind === "group") return this.heights.get(item.key) ?? CARD_HEIGHT;
    const space = item.place === "in-group last" ? CARD_SPACE : 0;
    // a row's height only differs while it is open
    return this.details.has(item.row.minion)
      ? (this.heights.get(item.key) ?? 2 * ROW_HEIGHT + space)
      : ROW_HEIGHT + space;
  }

  private show(minion: string, detail: Detail): void {
    // closed meanwhile: the answer came too late
    if (this.details.has(minion)) this.details.set(minion, detail);
  }

  private turn({ minion, section, text, range }: Extract<ToResults, { type: "page" }>): void {
    const detail = this.details.get(minion);
    if (detail?.state !== "shown") return;
    const sections = detail.sections.map((other) =>
      other.key === section ? { ...other, text, range } : other,
    );
    this.details.set(minion, { state: "shown", sections });
  }
}
