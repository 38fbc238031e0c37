import {
  Disposable,
  InputBoxValidationSeverity,
  QuickInputButtons,
  window,
  type InputBoxValidationMessage,
  type QuickInputButton,
} from "vscode";
import { BACK, type Answer, type StepPlace } from "./steps";

export interface TextQuestion {
  title: string;
  prompt?: string;
  placeholder?: string;
  value?: string;
  password?: boolean;
  place?: StepPlace;
  /** Why the text cannot be taken, or undefined; checked while typing and again on Enter. */
  check?: (text: string) => string | undefined;
  /** Something to show about the text once the user pauses; an error keeps the text from being taken. */
  inform?: (text: string, signal: AbortSignal) => Promise<InputBoxValidationMessage | undefined>;
}

/** A question whose box has a button in its title that leads elsewhere. */
export interface TextQuestionWithButton extends TextQuestion {
  button: QuickInputButton;
}

/** The text as it stood, and whether the button was pressed instead of Enter. */
export interface TextOrButton {
  text: string;
  pressed: boolean;
}

/** Long enough not to ask at each key, short enough to seem live. */
const PAUSE_MS = 150;

/** Asks for one line of text; BACK for the back button, undefined where the user gave up. */
export async function askText(question: TextQuestion): Promise<Answer<string>> {
  const answer = await ask(question);
  return answer === undefined || answer === BACK ? answer : answer.text;
}

/** As askText; text whose button was pressed is not checked. */
export function askTextOrButton(question: TextQuestionWithButton): Promise<Answer<TextOrButton>> {
  return ask(question, question.button);
}

function ask(question: TextQuestion, button?: QuickInputButton): Promise<Answer<TextOrButton>> {
  const box = window.createInputBox();
  box.title = question.title;
  box.prompt = question.prompt;
  box.placeholder = question.placeholder;
  box.value = question.value ?? "";
  box.password = question.password ?? false;
  box.ignoreFocusOut = true;
  box.step = question.place?.step;
  box.totalSteps = question.place?.totalSteps;
  box.buttons = [
    ...(question.place?.canGoBack ? [QuickInputButtons.Back] : []),
    ...(button ? [button] : []),
  ];
  return new Promise((resolve) => {
    let asking = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const finish = (answer: Answer<TextOrButton>): void => {
      resolve(answer);
      clearTimeout(timer);
      asking.abort();
      disposables.dispose();
    };
    const inform = async (text: string): Promise<boolean> => {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      const message = await question.inform?.(text, signal);
      if (signal.aborted) return false;
      box.validationMessage = message;
      return message?.severity !== InputBoxValidationSeverity.Error;
    };
    const changed = (text: string): void => {
      clearTimeout(timer);
      const problem = question.check?.(text);
      box.validationMessage = problem;
      if (problem === undefined && question.inform) {
        timer = setTimeout(() => void inform(text), PAUSE_MS);
      }
    };
    const accept = async (): Promise<void> => {
      const text = box.value;
      const problem = question.check?.(text);
      if (problem !== undefined) {
        box.validationMessage = problem;
        return;
      }
      clearTimeout(timer);
      box.busy = true;
      const taken = !question.inform || (await inform(text));
      box.busy = false;
      if (taken) finish({ text, pressed: false });
    };
    const disposables = Disposable.from(
      box,
      box.onDidChangeValue(changed),
      box.onDidAccept(() => void accept()),
      box.onDidTriggerButton((pressed) =>
        finish(pressed === QuickInputButtons.Back ? BACK : { text: box.value, pressed: true }),
      ),
      box.onDidHide(() => finish(undefined)),
    );
    box.show();
    if (question.inform) void inform(box.value);
  });
}
