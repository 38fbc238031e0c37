import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..", "..");
export const VSIX = join(ROOT, "dist", "func-overlord.vsix");

/** VS Code's version (of the npm package code-server): VSCODE_E2E_VERSION, a number or a name. */
export const VSCODE_VERSION = versionOf(process.env.VSCODE_E2E_VERSION ?? "newest");

/** Screenshots, and what is kept of failures. */
export const EVIDENCE = join(ROOT, ".e2e", VSCODE_VERSION);

function versionOf(asked: string): string {
  const file = join(ROOT, "scripts", "vscode-versions.json");
  const named = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  return named[asked] ?? asked;
}
