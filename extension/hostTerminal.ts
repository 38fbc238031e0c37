import { window, type Terminal } from "vscode";
import { FuncError } from "../server/common/errors";
import { overlordHome } from "./settings";

/**
 * Runs the command line that comes with the extension, then the user's own shell, so that what was said
 * stays on the screen. All that differs are arguments, which no shell takes apart.
 */
const SCRIPT = `
node=$1 script=$2
shift 2
trap : INT
printf '$ func %s\\n' "$*"
(unset NODE_OPTIONS; ELECTRON_RUN_AS_NODE=1 exec "$node" "$script" "$@")
exec "\${SHELL:-/bin/sh}"
`;

/** Terminals in which commands on hosts run that may ask for passwords. */
export class HostTerminal {
  /** `script`: path of dist/func.js. */
  constructor(private readonly script: string) {}

  /** Opens a terminal with `func ARGS`. Throws FuncError on Windows, which has no such shell. */
  run(name: string, args: readonly string[]): Terminal {
    if (process.platform === "win32") {
      throw new FuncError(
        "unavailable",
        "Hosts cannot be added from VS Code on Windows yet.",
        `Install the command line and run "func ${args.join(" ")}" in a terminal.`,
      );
    }
    const terminal = window.createTerminal({
      name,
      shellPath: "/bin/sh",
      shellArgs: ["-c", SCRIPT, "sh", process.execPath, this.script, ...args],
      env: { FUNC_HOME: overlordHome() },
    });
    terminal.show();
    return terminal;
  }
}
