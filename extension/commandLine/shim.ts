/** What the command `func` starts. All paths are absolute. */
export interface ShimTarget {
  /** The program that runs JavaScript: VS Code itself (Electron), or the Node of its server. */
  execPath: string;
  /** dist/func.js of the extension. */
  script: string;
  /** The data directory, where FUNC_HOME does not name another. */
  home: string;
}

/** Tells our own file from any other. */
export const SHIM_MARK = "Written by the VS Code extension Func Overlord";

/** A shell script that runs the command line on VS Code's own Node, whatever Node the shell has or lacks. */
export function posixShim({ execPath, script, home }: ShimTarget): string {
  return `#!/bin/sh
# ${SHIM_MARK}, which writes it anew: "Func: Install Command Line".
node=${shellQuoted(execPath)}
script=${shellQuoted(script)}
if [ ! -x "$node" ] || [ ! -f "$script" ]; then
  echo 'func: VS Code or its extension Func Overlord is no longer where it was.' >&2
  echo 'Open the Func view in VS Code once: that mends this command.' >&2
  exit 127
fi
if [ -z "$FUNC_HOME" ]; then FUNC_HOME=${shellQuoted(home)}; fi
export FUNC_HOME
ELECTRON_RUN_AS_NODE=1
export ELECTRON_RUN_AS_NODE
# meant for the shell's own Node
unset NODE_OPTIONS
exec "$node" "$script" "$@"
`;
}

/** The same for Windows, as func.cmd. */
export function windowsShim({ execPath, script, home }: ShimTarget): string {
  return [
    "@echo off",
    `rem ${SHIM_MARK}`,
    "setlocal DisableDelayedExpansion",
    `if not defined FUNC_HOME set "FUNC_HOME=${batchQuoted(home)}"`,
    'set "ELECTRON_RUN_AS_NODE=1"',
    'set "NODE_OPTIONS="',
    `"${batchQuoted(execPath)}" "${batchQuoted(script)}" %*`,
    "",
  ].join("\r\n");
}

/** One word of a POSIX shell, whatever is in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Within double quotes; names of files hold no double quotes on Windows. */
function batchQuoted(text: string): string {
  return text.replaceAll("%", "%%");
}
