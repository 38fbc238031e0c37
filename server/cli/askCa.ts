import { askAt } from "../client/askAt";
import { FuncError } from "../common/errors";

/** A command that another overlord's advice names, but where `--at` stands with it already. */
const OF_CA = /func ca (?:approval on|[a-z]+)(?! --at)/g;

/**
 * As `askAt`; where a sub-overlord was asked, the commands that its advice names are those for its CA from here.
 */
export async function askCa<R extends Parameters<typeof askAt>[2]>(
  ...asked: Parameters<typeof askAt<R>>
): ReturnType<typeof askAt<R>> {
  try {
    return await askAt(...asked);
  } catch (error) {
    const [, at] = asked;
    if (!(error instanceof FuncError) || at.length === 0) throw error;
    const fromHere = (text: string): string => text.replace(OF_CA, (words) => words + atText(at));
    const { reason, message, nextStep } = error;
    throw new FuncError(reason, fromHere(message), nextStep && fromHere(nextStep));
  }
}

/** What has to stand behind the next command too. */
export function atText(at: readonly string[]): string {
  return at.length === 0 ? "" : ` --at ${at.join("/")}`;
}
