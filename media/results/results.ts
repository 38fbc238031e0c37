import { html, render } from "lit";
import type { ToResults, FromResults, RowKind } from "../../extension/webviews/resultsProtocol";
import { headerView, type HeaderActions } from "./headerView";
import { KINDS } from "./kinds";
import { layoutOf, listView, type ListActions } from "./listView";
import { ProgressSpeaker } from "./progressSpeaker";
import { ResultsModel } from "./model";
import { rowForKey } from "./rowKeys";
import { ROW_HEIGHT } from "./rowLayout";
import { vscodeApi } from "./vscodeApi";

const model = new ResultsModel();
const speaker = new ProgressSpeaker();
const root = document.getElementById("results");
let viewport: Element | undefined;
let drawing = false;
/** A row that was just opened: it is scrolled into view once its height is known. */
let opened: string | undefined;
/** The row to focus once it is drawn. */
let focusDue: string | undefined;

const measured = new Map<Element, string>();
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const minion = measured.get(target);
    if (minion !== undefined) model.heights.set(minion, target.getBoundingClientRect().height);
  }
  draw();
  revealOpened();
});
const viewportSize = new ResizeObserver(() => draw());

const actions: HeaderActions & ListActions = {
  cancel: () => post({ type: "cancel" }),
  callAgain: () => post({ type: "callAgain" }),
  filter: (text) => {
    model.list.setFilter(text, model.list.kind);
    remember();
  },
  toggleKind: (kind) => {
    model.toggleKind(kind);
    remember();
  },
  toggle: (minion) => {
    model.active = minion;
    if (model.details.has(minion)) model.close(minion);
    else {
      ask(minion, false);
      opened = minion;
    }
    draw();
  },
  showAll: (minion) => ask(minion, true),
  openInEditor: (minion) => post({ type: "openInEditor", minion }),
  focused: (minion) => {
    if (model.active === minion) return;
    model.active = minion;
    draw();
  },
  key: (event) => moveByKey(event),
  scrolled: () => draw(),
  viewport: (element) => {
    if (viewport) viewportSize.unobserve(viewport);
    viewport = element;
    if (element) viewportSize.observe(element);
  },
  measure: (minion, element) => {
    if (!element) return;
    measured.set(element, minion);
    sizes.observe(element);
  },
};

function post(message: FromResults): void {
  vscodeApi.postMessage(message);
}

function ask(minion: string, whole: boolean): void {
  if (!model.details.has(minion)) model.details.set(minion, { state: "loading" });
  post({ type: "detail", minion, whole });
}

/** Keeps what the next life of this webview needs: VS Code destroys it when it is hidden. */
function remember(): void {
  const { filter, kind } = model.list;
  vscodeApi.setState({ jobId: document.body.dataset["jobId"] ?? "", filter, kind });
  draw();
}

function moveByKey(event: KeyboardEvent): void {
  // keys within an opened result scroll that, they do not move between rows
  if (!(event.target instanceof HTMLElement) || !event.target.dataset["minion"]) return;
  const rows = model.list.shown();
  const at = rows.findIndex(({ minion }) => minion === model.active);
  const page = Math.max(1, Math.floor((viewport?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
  const row = rows[rowForKey(event.key, Math.max(0, at), rows.length, page) ?? -1];
  if (!row) return;
  event.preventDefault();
  model.active = row.minion;
  focusDue = row.minion;
  scrollTo(rows.indexOf(row));
  draw();
}

function scrollTo(index: number): void {
  if (!viewport) return;
  const top = layoutOf(model).top(index);
  if (top < viewport.scrollTop) viewport.scrollTop = top;
  const bottom = top + ROW_HEIGHT - viewport.clientHeight;
  if (bottom > viewport.scrollTop) viewport.scrollTop = bottom;
}

/** Scrolls so far that an opened row's detail shows, but never its own line out of view. */
function revealOpened(): void {
  if (opened === undefined || !viewport || model.details.get(opened)?.state === "loading") return;
  const index = model.list.shown().findIndex(({ minion }) => minion === opened);
  const height = ROW_HEIGHT + (model.heights.get(opened) ?? 0);
  opened = undefined;
  if (index < 0) return;
  const top = layoutOf(model).top(index);
  const least = top + height - viewport.clientHeight;
  // the list has its new height only after the next drawing
  requestAnimationFrame(() => {
    if (viewport && viewport.scrollTop < least) viewport.scrollTop = Math.min(top, least);
  });
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
  const window = { scrollTop: viewport?.scrollTop ?? 0, height: viewport?.clientHeight ?? 800 };
  render(
    html`${headerView(model, actions)}${model.header ? listView(model, window, actions) : ""}`,
    root,
  );
  for (const [element] of measured) {
    if (element.isConnected) continue;
    sizes.unobserve(element);
    measured.delete(element);
  }
  if (focusDue === undefined) return;
  const selector = `button[data-minion="${CSS.escape(focusDue)}"]`;
  root.querySelector<HTMLButtonElement>(selector)?.focus({ preventScroll: true });
  focusDue = undefined;
}

function isKind(text: string | undefined): text is RowKind {
  return KINDS.some((kind) => kind === text);
}

window.addEventListener("message", (event: MessageEvent<ToResults>) => {
  for (const minion of model.take(event.data)) post({ type: "detail", minion, whole: false });
  speaker.say(model);
  draw();
});

const state = vscodeApi.getState();
if (state) model.list.setFilter(state.filter ?? "", isKind(state.kind) ? state.kind : undefined);
remember();
post({ type: "ready" });
