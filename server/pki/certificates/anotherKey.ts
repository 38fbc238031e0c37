import { FuncError } from "../../common/errors";

/** The name is that of a minion which is known here by another key. */
export function anotherKey(name: string): FuncError {
  return new FuncError(
    "conflict",
    `There is already a minion ${name}, with another key.`,
    `If that one is gone, take it out and revoke it: func ca forget ${name}`,
  );
}
