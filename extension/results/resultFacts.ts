import { l10n } from "vscode";
import type { MinionResult } from "../../server/protocol/jobs";
import { plainProblem } from "./plainProblem";
import type { ResultReader } from "./resultParts";

/** A short fact about a result. */
export interface ResultFact {
  key: string;
  title: string;
  text: string;
}

/** More attempts than these are of no use in a list. */
const MAX_ATTEMPTS = 10;

/** What else is known of a result: what is still to be done, and how earlier attempts went. Throws FuncError. */
export async function resultFacts(
  reader: ResultReader,
  jobId: string,
  { minion, attempt = 1, cancelPending, later }: MinionResult,
): Promise<ResultFact[]> {
  const facts: ResultFact[] = [];
  const text = cancelPending
    ? l10n.t("{0} cannot be reached: it is told to stop as soon as it can be.", minion)
    : later?.message;
  if (text) facts.push({ key: "cancelPending", title: l10n.t("Cancel"), text });
  if (attempt < 2) return facts;
  const { results } = await reader.request("jobs/attempts", { jobId, minion });
  const earlier = results.filter((result) => (result.attempt ?? 1) < attempt);
  for (const result of earlier.slice(-MAX_ATTEMPTS)) {
    const number = result.attempt ?? 1;
    facts.push({
      key: `attempt${number}`,
      title: l10n.t("Attempt {0}", number),
      text: attemptText(result),
    });
  }
  return facts;
}

function attemptText({ state, error, exitStatus }: MinionResult): string {
  if (error) return `${state}: ${plainProblem(error.message)}`;
  return exitStatus === undefined ? state : `${state}, exit ${exitStatus}`;
}
