import { Disposable, l10n, QuickInputButtons, window, type QuickPickItem } from "vscode";
import { plainLabel } from "./plainLabel";
import { BACK, type Answer, type StepPlace } from "./steps";

interface CommandItem extends QuickPickItem {
  command: string;
}

/**
 * Asks for a shell command: typed anew, or one of the last ones. An earlier one that is chosen goes into
 * the box first: what runs on the hosts is what stands there, however fast somebody types. `value` stands
 * there at once.
 */
export function askCommand(
  title: string,
  history: readonly string[],
  place: StepPlace,
  value = "",
): Promise<Answer<string>> {
  const box = window.createQuickPick<CommandItem>();
  const earlier: CommandItem[] = history.map((command) => ({
    label: plainLabel(command),
    description: l10n.t("run before"),
    command,
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
    const offer = (value: string): void => {
      const typed =
        value.trim() === "" ? [] : [{ label: plainLabel(value), alwaysShow: true, command: value }];
      box.items = [...typed, ...earlier.filter(({ command }) => command !== value)];
    };
    const disposables = Disposable.from(
      box,
      box.onDidChangeValue(offer),
      box.onDidAccept(() => {
        const { value } = box;
        const chosen = box.selectedItems[0]?.command ?? value;
        if (chosen === value) {
          if (value.trim() !== "") finish(value);
          return;
        }
        box.value = chosen;
        offer(chosen);
      }),
      box.onDidTriggerButton(() => finish(BACK)),
      box.onDidHide(() => finish(undefined)),
    );
    if (value !== "") {
      box.value = value;
      offer(value);
    }
    box.show();
  });
}
