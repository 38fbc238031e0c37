// Makes a fresh clone runnable: installs the dependencies and builds dist/ where they are missing
// or older than what they are made from. Plain Node: nothing is installed yet when this runs.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCES = [
  "server",
  "extension",
  "media",
  "scripts",
  "test/bench",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

/** Throws an Error with one sentence for the user. `announce` gets what is being done. */
export function bootstrap(announce = console.error) {
  checkNode();
  if (installIsStale()) {
    announce("Installing the dependencies ...");
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    run(npm, ["ci", "--no-audit", "--no-fund"], "npm ci failed: see its message above.");
  }
  if (buildIsStale()) {
    announce("Building ...");
    run(process.execPath, [join("scripts", "build.mjs")], "The build failed: see above.");
  }
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const wanted = engines.node.replace(/^>=/, "").split(".").map(Number);
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
    throw new Error(`Node ${engines.node} is needed, this is ${process.versions.node}.`);
  }
}

/** npm writes node_modules/.package-lock.json at the end of each install. */
function installIsStale() {
  const installed = join(root, "node_modules", ".package-lock.json");
  return !existsSync(installed) || modified(installed) < modified(join(root, "package-lock.json"));
}

function buildIsStale() {
  const built = join(root, "dist", "func.js");
  if (!existsSync(built)) return true;
  const newest = Math.max(...SOURCES.map((source) => newestIn(join(root, source))));
  return modified(built) < newest;
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  const inside = readdirSync(path).map((name) => newestIn(join(path, name)));
  // the folder's own time tells of files that were removed
  return Math.max(modified(path), ...inside);
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function run(program, args, problem) {
  try {
    // stdout is for the program that follows
    execFileSync(program, args, {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: program.endsWith(".cmd"),
    });
  } catch (error) {
    throw new Error(problem, { cause: error });
  }
}
