import { FuncError, messageOf } from "../../common/errors";

/** What the disk said, for people; a FuncError stays what it is. */
export function diskError(folder: string, error: unknown): FuncError {
  if (error instanceof FuncError) return error;
  return new FuncError(
    "unavailable",
    `The job store in ${folder} cannot be read or written: ${messageOf(error)}`,
    "Look at the disk of the overlord's host.",
  );
}
