import { Disposable, l10n, QuickInputButtons, window, type QuickPickItem } from "vscode";
import { BACK, type Answer, type StepPlace } from "./steps";

/** Asks for a shell command: typed anew, or one of the last ones. */
export function askCommand(
  title: string,
  history: readonly string[],
  place: StepPlace,
): Promise<Answer<string>> {
  const box = window.createQuickPick();
  const earlier: QuickPickItem[] = history.map((label) => ({
    label,
    description: l10n.t("run before"),
  }));
  box.title = title;
  box.placeholder = l10n.t("Shell command, for example: uptime");
  box.ignoreFocusOut = true;
  box.step = place.step;
  box.totalSteps = place.totalSteps;
  if (place.canGoBack) box.buttons = [QuickInputButtons.Back];
  box.items = earlier;
  return new Promise((resolve) => {
    const finish = (answer: Answer<string>): void => {
      resolve(answer);
      disposables.dispose();
    };
    const disposables = Disposable.from(
      box,
      box.onDidChangeValue((value) => {
        // what is typed is the first choice, so that Enter runs it and not a similar one of before
        const typed = value.trim() === "" ? [] : [{ label: value, alwaysShow: true }];
        box.items = [...typed, ...earlier.filter(({ label }) => label !== value)];
      }),
      box.onDidAccept(() => {
        const command = box.selectedItems[0]?.label ?? box.value;
        if (command.trim() !== "") finish(command);
      }),
      box.onDidTriggerButton(() => finish(BACK)),
      box.onDidHide(() => finish(undefined)),
    );
    box.show();
  });
}
