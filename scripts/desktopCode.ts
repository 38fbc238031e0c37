import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { codeEnvironment, startGroup, type CodeLaunch, type RunningCode } from "./codeProcess";
import { root } from "./localOverlord";

/**
 * The user's VS Code; undefined where there is none, or where its `code` only reaches a remote window,
 * which cannot load an extension under development.
 */
export function findDesktopCode(): string | undefined {
  if (process.env.VSCODE_IPC_HOOK_CLI !== undefined) return undefined;
  const displays = [process.env.DISPLAY, process.env.WAYLAND_DISPLAY];
  const hasDisplay = process.platform !== "linux" || displays.some(Boolean);
  if (!hasDisplay) return undefined;
  const name = process.platform === "win32" ? "code.cmd" : "code";
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Opens a window of its own; ended when that window is closed. */
export function startDesktopCode(program: string, launch: CodeLaunch): Promise<RunningCode> {
  // a new user data folder makes a new instance: one that runs already would not get our environment
  const { ended, stop } = startGroup(
    program,
    [
      "--wait",
      "--new-window",
      "--disable-workspace-trust",
      "--user-data-dir",
      join(launch.folder, "user"),
      `--extensionDevelopmentPath=${root}`,
      launch.workspace,
    ],
    codeEnvironment(launch.env),
  );
  return Promise.resolve({ where: "in a window of its own", ended, stop });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
