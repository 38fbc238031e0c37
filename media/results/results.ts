import { html, nothing, render } from "lit";
import type { FromResults, ToResults } from "../../extension/webviews/resultsProtocol";
import { copyRows } from "./clipboard";
import { headerView } from "./headerView";
import { extendTo, listKey } from "./listKeys";
import { minionsOf, type ListItem } from "./listItems";
import { LiveScroller, liveView } from "./liveView";
import { listView, type ListActions } from "./listView";
import { ResultsModel } from "./model";
import { ProgressSpeaker } from "./progressSpeaker";
import { replayActions } from "./replayActions";
import { replayView } from "./replayView";
import { nextOrder } from "./rowOrder";
import { isView, restoreState, stateOf } from "./savedState";
import { Scroller } from "./scroller";
import { searchView } from "./searchView";
import { menuAction, toolActions } from "./toolActions";
import { toolsView } from "./toolsView";
import { vscodeApi } from "./vscodeApi";

const jobId = document.body.dataset["jobId"] ?? "";
const root = document.getElementById("results");
const model = new ResultsModel((minion) => post({ type: "detail", minion, peek: true }));
const scroller = new Scroller(model, draw);
const liveScroller = new LiveScroller(draw);
const speaker = new ProgressSpeaker();
const replay = replayActions(model, { post, draw });
const tools = { ...toolActions(model, { post, remember }), replay: replay.toggle };
/** In the browser's performance timeline: the first results are drawn. */
const FIRST_ROWS = "func-first-rows";
let shown = false;
let drawing = false;
/** The item to focus once it is drawn. */
let focusDue: string | undefined;
/** A search of an earlier life of this page, to be made again when the rows are there. */
let searchDue = false;

const actions: ListActions = {
  search: tools.search,
  click: (event, item) => {
    model.active = item.key;
    if (event.shiftKey || event.ctrlKey || event.metaKey) actions.tick(event, item);
    else toggle(item);
  },
  tick: (event, item) => {
    if (event.shiftKey) extendTo(model, item);
    else model.selection.toggle(item.key, minionsOf(item));
    remember();
  },
  page: (minion, section, offset) => post({ type: "page", minion, section, offset }),
  openInEditor: (minion, section) => post({ type: "openInEditor", minion, section }),
  focused: (key) => {
    if (model.active === key) return;
    model.active = key;
    draw();
  },
  key: (event) => {
    listKey(event, model, scroller.page, {
      moveTo,
      toggle,
      selected: remember,
      selectAllShown: actions.selectAllShown,
    });
  },
  scrolled: () => draw(),
  viewport: (element) => scroller.setViewport(element),
  measure: (key, element) => scroller.measure(key, element),
  sort: (by) => {
    model.setOrder(nextOrder(model.list.order, by));
    remember();
  },
  selectAllShown: () => {
    const shown = model.list.shown().map(({ minion }) => minion);
    const all = shown.every((minion) => model.selection.has(minion));
    if (all) model.selection.clear();
    else model.selection.set(shown);
    remember();
  },
};

function post(message: FromResults): void {
  vscodeApi.postMessage(message);
}

function toggle(item: ListItem): void {
  model.active = item.key;
  if (item.kind === "group") {
    model.toggleGroup(item.group.key);
  } else if (model.details.has(item.row.minion)) {
    model.close(item.row.minion, item.key);
  } else {
    model.details.set(item.row.minion, { state: "loading" });
    model.rearranged();
    post({ type: "detail", minion: item.row.minion, peek: false });
    scroller.willOpen(item.key);
  }
  draw();
}

function moveTo(index: number): void {
  const item = model.items()[index];
  if (!item) return;
  model.active = item.key;
  focusDue = item.key;
  scroller.scrollTo(index);
  draw();
}

function remember(): void {
  vscodeApi.setState(stateOf(model, jobId));
  draw();
}

/** Draws once per frame, however much has changed. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawNow();
  });
}

function drawNow(): void {
  if (!root) return;
  const { header } = model;
  const list = header
    ? html`${toolsView(model, header, tools)}
      ${replayView(model.replay, replay.isPlaying(), replay)}
      ${searchView(model.searches.current, header.finished, tools)}
      ${
        model.view === "live"
          ? liveView(model, liveScroller)
          : listView(model, scroller.position, actions)
      }`
    : nothing;
  render(html`${headerView(model, toggleKind)}${list}`, root);
  scroller.tidy();
  liveScroller.settle();
  if (model.list.size > 0 && !shown) {
    shown = true;
    performance.mark(FIRST_ROWS);
  }
  if (focusDue === undefined) return;
  const selector = `button[data-item="${CSS.escape(focusDue)}"]`;
  root.querySelector<HTMLButtonElement>(selector)?.focus({ preventScroll: true });
  focusDue = undefined;
}

function toggleKind(kind: ResultsModel["list"]["kind"]): void {
  model.setFilter(model.list.filter, model.list.kind === kind ? undefined : kind);
  remember();
}

function receive(message: ToResults): void {
  if (message.type === "menu") {
    menuAction(model, message.action, message.item, post);
    return;
  }
  for (const minion of model.take(message)) post({ type: "detail", minion, peek: false });
  const complete = model.list.size >= (model.header?.total ?? 1);
  if (complete && searchDue) {
    searchDue = false;
    tools.search();
  }
  speaker.say(model);
  draw();
}

window.addEventListener("message", (event: MessageEvent<ToResults>) => receive(event.data));
document.addEventListener("copy", (event) => copyRows(event, model));

const state = vscodeApi.getState();
const firstView = document.body.dataset["view"];
if (isView(firstView)) model.setView(firstView);
if (state) {
  restoreState(model, state);
  searchDue = state.searching === true;
}
vscodeApi.setState(stateOf(model, jobId));
draw();
post({ type: "ready" });
if (model.view === "live") post({ type: "watchLive", watch: true });
