import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { isOpen, type Group } from "./folding";
import { formatDuration, minionCount } from "./format";
import { groupBody, type GroupBody } from "./groupBody";
import { hostRanges } from "./hostRanges";
import { icon } from "./kinds";
import type { ListItem } from "./listItems";
import type { ResultsModel } from "./model";
import { rowContext, tickView, type ItemActions, type ItemPlace } from "./rowView";
import { unsignedView } from "./viaView";

/** A line has room for fewer; the tooltip shows them all. */
const HOSTS_CHARS = 240;

/** Minions with equal results as one card: who they are, what they said. */
export function groupView(
  model: ResultsModel,
  item: Extract<ListItem, { kind: "group" }>,
  { index, active }: ItemPlace,
  actions: ItemActions,
): TemplateResult {
  const { group, key } = item;
  const [first] = group.rows;
  if (!first) return html``;
  const ticked = group.rows.filter(({ minion }) => model.selection.has(minion)).length;
  const all = ticked === group.rows.length;
  const expanded = model.openGroups.has(group.key);
  const count = minionCount(group.rows.length);
  const body = isOpen(group) ? undefined : groupBody(model, group, first, actions);
  const hosts = hostsText(group);
  return html`<div
    class="card-space ${expanded ? "opened" : ""}"
    role="presentation"
    ${ref((element) => actions.measure(key, element))}
  >
    <div class="card ${active ? "active" : ""}" role="presentation">
      <div
        class="row group ${all ? "selected" : ""}"
        role="row"
        aria-rowindex=${index + 2}
        aria-selected=${all ? "true" : "false"}
        data-vscode-context=${rowContext(model, key, first.minion)}
        @click=${(event: MouseEvent) => actions.click(event, item)}
      >
        <span role="gridcell" class="check"
          >${tickView(all, ticked > 0, count, item, actions)}</span
        >
        <span role="gridcell" class="who">
          <button
            type="button"
            data-group=${group.key}
            data-item=${key}
            tabindex=${active ? 0 : -1}
            aria-expanded=${expanded ? "true" : "false"}
            @focus=${() => actions.focused(key)}
          >
            <span class="twist ${expanded ? "open" : ""}" aria-hidden="true"></span>${icon(
              group.kind,
            )}<b>${count}</b>
          </button>
        </span>
        <span role="gridcell" class="hosts" title=${hosts}>${hosts}</span>
        <span role="gridcell" class="aside">${unsignedView(group)} ${asideText(group, body)}</span>
      </div>
      ${
        body
          ? html`<div role="row" class="body">
              <div role="gridcell" aria-colspan="4">${body.content}</div>
            </div>`
          : nothing
      }
    </div>
  </div>`;
}

/** Worked out once for each folding: of 10,000 names it takes some milliseconds. */
const hostTexts = new WeakMap<Group, string>();

function hostsText(group: Group): string {
  const known = hostTexts.get(group);
  if (known !== undefined) return known;
  const names = group.rows.map(({ minion }) => minion);
  const { text, rest } = hostRanges(names, HOSTS_CHARS);
  const whole = rest > 0 ? `${text} and ${rest.toLocaleString()} more` : text;
  hostTexts.set(group, whole);
  return whole;
}

/** "exit 0 · median 0.30 s", or how it differs from what most have said. */
function asideText(group: Group, body: GroupBody | undefined): string {
  const parts = isOpen(group) || group.label === "succeeded" ? [] : [group.label];
  if (body?.difference !== undefined) parts.push(body.difference);
  else if (group.medianMs !== undefined) {
    const median = group.rows.length > 1 ? "median " : "";
    parts.push(median + formatDuration(group.medianMs));
  }
  return (parts.length === 0 ? [group.label] : parts).join(" · ");
}
