import { InputBoxValidationSeverity, l10n } from "vscode";
import { firstNames } from "../confirmation";
import { asFuncError, errorText } from "../errors";
import type { OverlordSession } from "../overlordSession";
import { askText } from "./askText";
import type { Answer, StepPlace } from "./steps";

/** Asks for a target expression, telling while one types how many minions it means. */
export function askTargets(
  session: OverlordSession,
  question: { title: string; value?: string; place?: StepPlace },
): Promise<Answer<string>> {
  return askText({
    ...question,
    // in the title as well, where the count below the box does not replace it
    title: l10n.t('{0}: which minions? Names, globs, @groups, separated by ";"', question.title),
    value: question.value ?? "*",
    check: (text) =>
      text.trim() === "" ? l10n.t('Type a name, a glob, or "*" for all.') : undefined,
    inform: async (text, signal) => {
      try {
        const { names } = await session.request("minions/match", { spec: text.trim() }, { signal });
        return {
          message:
            names.length === 1
              ? l10n.t("1 minion: {0}", firstNames(names))
              : l10n.t("{0} minions: {1}", names.length, firstNames(names)),
          severity: InputBoxValidationSeverity.Info,
        };
      } catch (error) {
        if (asFuncError(error).reason === "cancelled") return undefined;
        return { message: errorText(error), severity: InputBoxValidationSeverity.Error };
      }
    },
  });
}
