import { commands, Disposable, window } from "vscode";
import { activeResults, hasPart } from "./showResult";

/** Keeps the context keys by which "Next Part" and "Previous Part" are shown. */
export function registerPartContext(): Disposable {
  const shown = new Map<string, boolean>();
  const set = (key: string, value: boolean): void => {
    if (shown.get(key) === value) return;
    shown.set(key, value);
    void commands.executeCommand("setContext", key, value);
  };
  const update = (): void => {
    const results = activeResults();
    set("func.hasNextPart", results !== undefined && hasPart(results, 1));
    set("func.hasPreviousPart", results !== undefined && hasPart(results, -1));
  };
  update();
  return Disposable.from(
    window.tabGroups.onDidChangeTabs(update),
    window.tabGroups.onDidChangeTabGroups(update),
  );
}
