import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { costOf } from "./processCost";

/** Where these are found besides PATH: an ordinary user's does not have sbin. */
const MORE_FOLDERS = ["/usr/sbin", "/sbin"];

/** The absolute path of a program; undefined where it is not on this machine. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...MORE_FOLDERS];
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Installs the packages of programs that are missing, where this is Debian and the user root. Returns why
 * not, or undefined when all are there.
 */
export async function ensurePrograms(
  packages: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const missing = Object.entries(packages).filter(([program]) => !programPath(program));
  if (missing.length === 0) return undefined;
  const names = [...new Set(missing.map(([, name]) => name))];
  if (!programPath("apt-get")) return `no apt here to install ${names.join(", ")}`;
  if (process.getuid?.() !== 0) return `not root, so ${names.join(", ")} cannot be installed`;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    await costOf(["apt-get", "update", "-qq"], { env, signal });
    const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...names];
    await costOf(install, { env, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return `apt could not install ${names.join(", ")}`;
  }
  return undefined;
}
