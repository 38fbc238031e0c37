import { commands, l10n, window } from "vscode";
import { FuncError, messageOf } from "../server/common/errors";
import { COMMANDS } from "./commandIds";

/** Anything thrown as a FuncError. `instanceof` does not reach over bundles, the name does. */
export function asFuncError(error: unknown): FuncError {
  if (error instanceof FuncError) return error;
  if (error instanceof Error && error.name === "FuncError" && "reason" in error) {
    return error as FuncError;
  }
  return new FuncError("internal", messageOf(error), undefined, { cause: error });
}

/** The sentence for the user: what failed and what to do next. */
export function errorText(error: unknown): string {
  const { message, nextStep } = asFuncError(error);
  return nextStep ? `${message} ${nextStep}` : message;
}

/** Shows an error with a way to the log; what the user cancelled is no error. */
export async function showError(error: unknown): Promise<void> {
  if (asFuncError(error).reason === "cancelled") return;
  const showLog = l10n.t("Show Log");
  const chosen = await window.showErrorMessage(errorText(error), showLog);
  if (chosen === showLog) await commands.executeCommand(COMMANDS.showLog);
}
