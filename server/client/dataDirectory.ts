import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/**
 * The folder of the user's overlord: FUNC_HOME, else the platform's place for application data.
 * Always absolute; it need not exist.
 */
export function dataDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.FUNC_HOME) return resolve(env.FUNC_HOME);
  const home = env.HOME ?? homedir();
  switch (process.platform) {
    case "win32":
      return join(env.LOCALAPPDATA ?? join(home, "AppData", "Local"), "func");
    case "darwin":
      return join(home, "Library", "Application Support", "func");
    default: {
      // the XDG specification says that a relative path is to be ignored
      const data = env.XDG_DATA_HOME;
      return join(data && isAbsolute(data) ? data : join(home, ".local", "share"), "func");
    }
  }
}
