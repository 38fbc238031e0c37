import type { FuncError } from "../common/errors";

/** Why a map's file cannot be used, and what to do; in one line. */
export function mapProblemText({ message, nextStep }: FuncError): string {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return nextStep === undefined ? message : `${sentence} ${nextStep}`;
}
