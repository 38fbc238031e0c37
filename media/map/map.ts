import { html, render } from "lit";
import { ref } from "lit/directives/ref.js";
import type { FromMap, ToMap } from "../../extension/webviews/mapProtocol";
import { cardView, contextOf } from "./cardView";
import { DrawingBoard } from "./drawingBoard";
import { keyMove, TypeAhead } from "./mapKeys";
import { listView } from "./listView";
import { ListScroller } from "./listScroller";
import type { MapActions } from "./mapActions";
import { MapModel } from "./mapModel";
import { emptyView, problemView } from "./noticeView";
import { nextHit } from "./hostSearch";
import { toolbarView } from "./toolbarView";
import { vscodeApi } from "./vscodeApi";
import { spokenSelection } from "./words";

const root = document.getElementById("map");
const model = new MapModel();
const typeAhead = new TypeAhead();
const scroller = new ListScroller(model, () => draw());
const board = new DrawingBoard(model, {
  select: (place) => select(place),
  toggle: (place) => toggle(place),
  key: (event) => key(event, 10),
  moved: () => remember(),
});
let drawing = false;
let rememberTimer = 0;

const actions: MapActions = {
  select: (place) => select(place),
  toggle: (place) => toggle(place),
  act: (action, place) => post({ type: "act", action, path: model.tree.pathOf(place) }),
  showCallPath: (place) => showCallPath(place),
  search: (query) => {
    model.search(query);
    changed();
  },
  jump: (back) => {
    const hit = nextHit(model.hits, model.selected, back);
    if (hit !== undefined) show(hit);
  },
  toggleList: () => {
    model.list = !model.list;
    changed();
    if (model.list) scroller.reveal();
  },
  fit: () => board.fit(),
  zoom: (factor) => board.viewpoint.zoom(factor),
  expandAll: () => {
    model.expandAll();
    board.fit();
    changed();
  },
  collapseAll: () => {
    model.collapseAll();
    board.fit();
    changed();
  },
  refresh: () => post({ type: "refresh" }),
  build: () => post({ type: "build" }),
  openFile: () => post({ type: "openFile" }),
  listKey: (event) => key(event, scroller.page),
  scrolled: () => draw(),
  viewport: (element) => scroller.setViewport(element),
};

function post(message: FromMap): void {
  vscodeApi.postMessage(message);
}

function select(place: number): void {
  model.select(place);
  if (place > 0) post({ type: "selected", path: model.tree.pathOf(place) });
  scroller.reveal();
  changed();
}

function toggle(place: number): void {
  board.viewpoint.keepInPlace(place, () => model.toggle(place));
  changed();
}

/** Selects the host and brings it into view. */
function show(place: number): void {
  model.reveal(place);
  select(place);
  board.centre(place);
}

function showCallPath(place: number): void {
  model.reveal(place);
  select(place);
  board.fitTo(model.callPath);
}

function key(event: KeyboardEvent, page: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const move = keyMove(model, event.key, page);
  const letter = event.key.length === 1 && event.key !== " ";
  const typed = letter ? typeAhead.type(model, event.key, event.timeStamp) : undefined;
  if (!move && typed === undefined) return;
  event.preventDefault();
  if (move?.kind === "expand") toggle(move.place);
  else select(move?.place ?? typed ?? 0);
  board.viewpoint.bringIntoView(model.selected);
}

/** Kept soon, and not with each step of a pull. */
function remember(): void {
  clearTimeout(rememberTimer);
  rememberTimer = window.setTimeout(() => {
    vscodeApi.setState({ ...model.keep(), view: board.viewpoint.kept });
  }, 200);
}

function changed(): void {
  remember();
  draw();
}

/** Draws once per frame, however much has changed. */
function draw(): void {
  board.draw();
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (root) render(pageView(), root);
    scroller.settle();
  });
}

function pageView(): unknown {
  if (!model.map) return emptyView(model, actions);
  return html`${toolbarView(model, actions)} ${problemView(model, actions)}
    <div class="panes">
      ${model.list ? listView(model, scroller.window, actions) : ""}
      <div class="drawing">
        <canvas
          tabindex="0"
          role="application"
          aria-roledescription="map"
          aria-label="The delegation map as a drawing. Arrow keys move the selection; the button List shows the same as a list."
          data-vscode-context=${contextOf(model, model.selected)}
          ${ref((element) => board.setCanvas(element))}
        ></canvas>
        ${cardView(model, actions)}
      </div>
    </div>
    <p class="visually-hidden" role="status">${spokenSelection(model)}</p>
    <p class="visually-hidden" role="status">${model.traffic.spoken}</p>`;
}

function receive(message: ToMap): void {
  switch (message.type) {
    case "map":
      model.takeMap(message.version, message.map);
      board.mapChanged();
      if (model.selected > 0) post({ type: "selected", path: model.tree.pathOf(model.selected) });
      break;
    case "noMap":
      model.takeNothing(message);
      break;
    case "states":
      model.takeStates(message.version, message.states);
      break;
    case "calls":
      if (!model.isOf(message.version)) return;
      model.traffic.take(model.tree, message.under, message.ended, performance.now());
      break;
    case "callPath":
      if (message.path.join("\n") !== model.tree.pathOf(model.selected).join("\n")) return;
      model.callPath = model.tree.findHops(message.hops);
      break;
    case "show": {
      const place = model.tree.find(message.path);
      if (place !== undefined) showCallPath(place);
      break;
    }
  }
  draw();
}

window.addEventListener("message", (event: MessageEvent<ToMap>) => receive(event.data));
window.addEventListener("pagehide", () => {
  vscodeApi.setState({ ...model.keep(), view: board.viewpoint.kept });
});

const state = vscodeApi.getState();
model.restore(state);
if (!state && document.body.classList.contains("vscode-using-screen-reader")) model.list = true;
board.viewpoint.restore(state?.view);
vscodeApi.setState(model.keep());
draw();
post({ type: "ready" });
