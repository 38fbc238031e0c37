import { Disposable, QuickInputButtons, window, type QuickPickItem } from "vscode";
import { BACK, type Answer, type StepPlace } from "./steps";

export interface PickQuestion<T extends QuickPickItem> {
  title: string;
  /** Where it is known with the items only, it shows with them. */
  placeholder?: string | Promise<string>;
  place?: StepPlace;
  /** The box shows at once and is busy until they are there; a rejection closes it. */
  items: readonly T[] | Promise<readonly T[]>;
}

/** Asks for one of several; BACK for the back button, undefined where the user gave up. */
export function askPick<T extends QuickPickItem>(question: PickQuestion<T>): Promise<Answer<T>> {
  const box = window.createQuickPick<T>();
  box.title = question.title;
  if (typeof question.placeholder === "string") box.placeholder = question.placeholder;
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  box.ignoreFocusOut = true;
  box.step = question.place?.step;
  box.totalSteps = question.place?.totalSteps;
  if (question.place?.canGoBack) box.buttons = [QuickInputButtons.Back];
  box.busy = true;
  return new Promise((resolve, reject) => {
    let open = true;
    const close = (): void => {
      open = false;
      disposables.dispose();
    };
    const finish = (answer: Answer<T>): void => {
      resolve(answer);
      if (open) close();
    };
    const disposables = Disposable.from(
      box,
      box.onDidAccept(() => {
        const [item] = box.selectedItems;
        if (item) finish(item);
      }),
      box.onDidTriggerButton(() => finish(BACK)),
      box.onDidHide(() => finish(undefined)),
    );
    box.show();
    Promise.all([question.items, question.placeholder]).then(
      ([items, placeholder]) => {
        if (!open) return;
        box.placeholder = placeholder;
        box.items = items;
        box.busy = false;
      },
      (error: unknown) => {
        if (!open) return;
        reject(error instanceof Error ? error : new Error(String(error)));
        close();
      },
    );
  });
}
