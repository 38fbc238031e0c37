import {
  CompletionItem,
  CompletionItemKind,
  Diagnostic,
  DiagnosticSeverity,
  Hover,
  languages,
  l10n,
  MarkdownString,
  Range,
  workspace,
  type Position,
  type TextDocument,
} from "vscode";
import { messageOf } from "../server/common/errors";
import type { OverlordSession } from "./overlordSession";

/** Id of the language of map files (package.json). */
export const MAP_LANGUAGE = "func-map";
/** After the last change of the text. */
const CHECK_AFTER_MS = 300;
const NAME = /[^\s:{}"',#]+/;

/** Diagnostics, completion and hover of map files, by what the overlord says of them. */
export class MapLanguage {
  private readonly collection = languages.createDiagnosticCollection(MAP_LANGUAGE);
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly session: OverlordSession) {
    for (const document of workspace.textDocuments) this.soon(document);
    workspace.onDidOpenTextDocument((document) => {
      this.soon(document);
    });
    workspace.onDidChangeTextDocument(({ document }) => {
      this.soon(document);
    });
    workspace.onDidCloseTextDocument((document) => {
      this.stop(document);
    });
    languages.registerCompletionItemProvider(MAP_LANGUAGE, {
      provideCompletionItems: (document, position) => this.names(document, position),
    });
    languages.registerHoverProvider(MAP_LANGUAGE, {
      provideHover: (document, position) => this.hover(document, position),
    });
  }

  private soon(document: TextDocument): void {
    if (document.languageId !== MAP_LANGUAGE) return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => void this.check(document), CHECK_AFTER_MS),
    );
  }

  private stop({ uri }: TextDocument): void {
    clearTimeout(this.timers.get(uri.toString()));
    this.timers.delete(uri.toString());
    this.collection.delete(uri);
  }

  private async check(document: TextDocument): Promise<void> {
    const { version, uri } = document;
    try {
      const text = document.getText();
      const place = uri.scheme === "file" && { mapFile: uri.fsPath };
      const { problems } = await this.session.request("map/validate", { text, ...place });
      if (document.isClosed || document.version !== version) return;
      const found = problems.map(({ line, column, length, severity, message }) => {
        const at = Math.max(0, line - 1);
        const range = new Range(at, Math.max(0, column - 1), at, Math.max(0, column - 1 + length));
        const kind = severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning;
        return Object.assign(new Diagnostic(range, message, kind), { source: "func" });
      });
      this.collection.set(uri, found);
    } catch (error) {
      const message = l10n.t("The map could not be checked: {0}", messageOf(error));
      const severity = DiagnosticSeverity.Information;
      this.collection.set(uri, [new Diagnostic(new Range(0, 0, 0, 0), message, severity)]);
    }
  }

  /** Of this overlord's minions, in place of what is written of a name there. */
  private async names(document: TextDocument, position: Position): Promise<CompletionItem[]> {
    const minions = await this.session.request("minions/list", {}).catch(() => []);
    const range = document.getWordRangeAtPosition(position, NAME) ?? new Range(position, position);
    const after = document.lineAt(position.line).text.slice(range.end.character);
    const end = /^\s*:/.test(after) ? "" : ": {}";
    return minions.map(({ name, address }) => {
      const item = new CompletionItem(name, CompletionItemKind.Value);
      return Object.assign(item, { detail: address, insertText: name + end, range });
    });
  }

  private async hover(document: TextDocument, position: Position): Promise<Hover | undefined> {
    const range = document.getWordRangeAtPosition(position, NAME);
    if (!range) return undefined;
    const name = document.getText(range);
    const [answer, { states }] = await Promise.all([
      this.session.request("map/paths", { names: [name] }).catch(() => undefined),
      this.session.request("map/states", {}).catch(() => ({ states: [] })),
    ]);
    const path = answer?.paths[0];
    if (!path) return new Hover(l10n.t("Not in the map that is in use."), range);
    const state = states.find((one) => one.path.join("/") === path.join("/"));
    const text = new MarkdownString();
    text.appendText(`${path.join(" → ")}\n`);
    if (state) text.appendText(`${state.state}${state.problem ? `: ${state.problem}` : ""}\n`);
    return new Hover(text, range);
  }
}
