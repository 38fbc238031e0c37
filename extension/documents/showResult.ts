import {
  commands,
  Position,
  Range,
  TabInputText,
  TabInputTextDiff,
  window,
  workspace,
  type Uri,
} from "vscode";
import { FuncError } from "../../server/common/errors";
import { partCount } from "../results/documentParts";
import type { ResultReader } from "../results/resultParts";
import { resultSource } from "../results/resultSource";
import { parseResultUri, partUri, resultUri, type ResultAddress } from "./resultUri";

/**
 * Opens one minion's result, or one section of it, in an editor: of a large one its first part. The first
 * place with `text`, in capitals or not, is selected. Throws FuncError.
 */
export async function showResult(
  reader: ResultReader,
  address: Pick<ResultAddress, "jobId" | "minion" | "call" | "section">,
  text?: string,
): Promise<void> {
  const document = await workspace.openTextDocument(await shownUri(reader, address));
  const at = text === undefined ? -1 : indexOfText(document.getText(), text);
  const end = at + (text?.length ?? 0);
  const selection =
    at < 0 ? undefined : new Range(document.positionAt(at), document.positionAt(end));
  await window.showTextDocument(document, { preview: true, selection });
}

function indexOfText(where: string, text: string): number {
  return where.toLowerCase().indexOf(text.toLowerCase());
}

/** The address under which an editor shows it: its text, or of a large one the first part. */
export async function shownUri(
  reader: ResultReader,
  address: Pick<ResultAddress, "jobId" | "minion" | "call" | "section">,
): Promise<Uri> {
  const { jobId, minion, call, section } = address;
  const { source } = await resultSource(reader, address);
  const parts = partCount(source.bytes);
  return resultUri(jobId, minion, call, { section, part: 1, parts });
}

/** What the editor in front shows of results: one, or two side by side. */
export interface ShownResults {
  left: ResultAddress;
  /** Of a comparison. */
  right?: ResultAddress;
}

/** Undefined where the editor in front shows something else. */
export function activeResults(): ShownResults | undefined {
  const input = window.tabGroups.activeTabGroup.activeTab?.input;
  if (input instanceof TabInputTextDiff) {
    const left = parseResultUri(input.original);
    const right = parseResultUri(input.modified);
    return left && right && { left, right };
  }
  const left = input instanceof TabInputText ? parseResultUri(input.uri) : undefined;
  return left && { left };
}

/** True where there is a part `step` parts further in what is shown. */
export function hasPart({ left, right }: ShownResults, step: 1 | -1): boolean {
  return [left, ...(right ? [right] : [])].some((address) => moved(address, step) !== address.part);
}

/** Shows the next (1) or the previous (-1) part in the place of what is shown. Throws FuncError. */
export async function showPart({ left, right }: ShownResults, step: 1 | -1): Promise<void> {
  if (!hasPart({ left, right }, step)) {
    throw new FuncError("not-found", "There is no other part of this output.");
  }
  const uri = partUri(left, moved(left, step));
  if (right) {
    await compare(uri, partUri(right, moved(right, step)), left, right);
    return;
  }
  const document = await workspace.openTextDocument(uri);
  const last = new Position(document.lineCount, 0);
  // going back one reads on from the end
  const at = step > 0 ? new Position(0, 0) : last;
  await window.showTextDocument(document, { preview: true, selection: new Range(at, at) });
}

/** Opens two results side by side. */
export async function compare(
  left: Uri,
  right: Uri,
  { minion, call }: Pick<ResultAddress, "minion" | "call">,
  other: Pick<ResultAddress, "minion">,
): Promise<void> {
  const title = `${minion} ↔ ${other.minion} (${call})`;
  await commands.executeCommand("vscode.diff", left, right, title, { preview: true });
}

function moved({ part = 1, parts = 1 }: ResultAddress, step: 1 | -1): number {
  return Math.min(parts, Math.max(1, part + step));
}
