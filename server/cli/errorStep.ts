import type { FuncError } from "../common/errors";
import type { Session } from "./session";

/**
 * What to do after an error that ended the command, in words of this command line; undefined where
 * there is no advice. Never throws.
 */
export async function nextStepOf(error: FuncError, session?: Session): Promise<string | undefined> {
  const isForAll = /--delegate|func (?:build-map|group remove)|^Call it as /.test(
    error.nextStep ?? "",
  );
  if (error.reason !== "no-match" || session === undefined || isForAll) return error.nextStep;
  const { delegate = false } = session.options;
  try {
    const connection = await session.connect(false);
    const { minions, dataDirectory } = await connection.request("overlord/status", {});
    return minions > 0
      ? `func "*"${delegate ? " --delegate" : ""} list_minions shows all. func group list shows the groups.`
      : `No minion has been enrolled yet (data directory ${dataDirectory}): ` +
          "make a token with func ca token, then on the host: node funcd.js join TOKEN.";
  } catch {
    return error.nextStep; // the overlord is gone: its own advice is the best there is
  }
}
