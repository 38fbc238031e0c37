// Sees to it that programs which the tests run are on this machine; where one is not, installs its
// Debian package (as root or by sudo without a password), else says what to do.
//   node scripts/systemPackages.mjs chromium sshd:openssh-server ...
// A name is the program's, and the package's where no other follows.
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

function isOnPath(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Throws an Error with one sentence for the user where a program is missing and stays missing. */
export function ensureSystemPackages(names) {
  const missing = names
    .map((name) => name.split(":"))
    .filter(([program]) => !isOnPath(program))
    .map(([program, debianPackage = program]) => debianPackage);
  if (missing.length === 0) return;
  const command = ["apt-get", "install", "-y", "--no-install-recommends", ...missing];
  const byHand = `Install them and try again: ${command.join(" ")}`;
  const isRoot = process.getuid?.() === 0;
  if (!isOnPath("apt-get") || (!isRoot && spawnSync("sudo", ["-n", "true"]).status !== 0)) {
    throw new Error(`The tests need ${missing.join(", ")}. ${byHand}`);
  }
  console.log(`Installing ${missing.join(", ")} ...`);
  const run = (args) => {
    const [program, ...rest] = isRoot ? args : ["sudo", "-n", ...args];
    execFileSync(program, rest, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  };
  try {
    run(["apt-get", "update"]);
    run(command);
  } catch (error) {
    throw new Error(`${missing.join(", ")} could not be installed. ${byHand}`, { cause: error });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    ensureSystemPackages(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
