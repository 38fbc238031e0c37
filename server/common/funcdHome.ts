import { homedir } from "node:os";
import { join } from "node:path";

/** The folder of this host's minion where nobody names another: FUNCD_HOME, or root's, or the user's. */
export function defaultFuncdHome({
  FUNCD_HOME = "",
  XDG_DATA_HOME = "",
}: NodeJS.ProcessEnv): string {
  if (FUNCD_HOME !== "") return FUNCD_HOME;
  if (process.getuid?.() === 0) return "/var/lib/funcd";
  const data = XDG_DATA_HOME === "" ? join(homedir(), ".local", "share") : XDG_DATA_HOME;
  return join(data, "funcd");
}
