import { l10n } from "vscode";
import type { StartCallParams } from "../../server/protocol/requests";

/** How a call is to be made, beside what is called where; what is left out is as the settings say. */
export type CallOptions = Pick<
  StartCallParams,
  | "async"
  | "batch"
  | "maxErrors"
  | "timeoutMs"
  | "deliveryLimitMs"
  | "nforks"
  | "delegate"
  | "mapFile"
>;

/** Each option that differs from the usual in a few words; empty where none does. */
export function optionWords(options: CallOptions): string[] {
  const { async: asJob, batch, maxErrors, timeoutMs, deliveryLimitMs, nforks } = options;
  const words: string[] = [];
  if (asJob) words.push(l10n.t("as a job"));
  if (batch?.canary !== undefined) words.push(l10n.t("{0} first", batch.canary));
  if (batch?.size !== undefined) words.push(l10n.t("in steps of {0}", batch.size));
  if (maxErrors !== undefined) words.push(l10n.t("at most {0} errors", maxErrors));
  if (timeoutMs !== undefined) words.push(l10n.t("{0} s on each", timeoutMs / 1_000));
  if (deliveryLimitMs !== undefined) {
    words.push(l10n.t("{0} s for hosts to come back", deliveryLimitMs / 1_000));
  }
  if (options.delegate === false) words.push(l10n.t("own minions only"));
  if (options.delegate === true) words.push(l10n.t("behind sub-overlords too"));
  if (nforks !== undefined) words.push(l10n.t("{0} at a time", nforks));
  return words;
}
