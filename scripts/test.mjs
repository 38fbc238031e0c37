// The whole check of a fresh clone: sets up what is missing, runs every stage until one fails, and
// sees to it that no process stays behind.
//   npm test               all stages
//   npm test -- unit e2e   only these
// Plain Node without packages: it runs before they are installed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrap } from "./bootstrap.mjs";
import { ensureSystemPackages } from "./systemPackages.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const STAGE_LIMIT_MS = 15 * 60_000;
const LEFTOVERS_END_MS = 10_000;

// everything that a test makes is in here; short, for the names of Unix sockets
const temporary = mkdtempSync(join(tmpdir(), "ft-"));
const runId = `${process.pid}-${Date.now()}`;
const env = { ...process.env, TMPDIR: temporary, FUNC_TEST_RUN: runId };
for (const name of ["FUNC_HOME", "FUNCD_HOME"]) delete env[name]; // the user's own are not for tests

/** What the tests run besides Node, with Debian's package where it has another name. */
const PROGRAMS = [
  "chromium",
  "openssl",
  "python3",
  "ssh:openssh-client",
  "sshd:openssh-server",
  "systemd-analyze:systemd",
];

const counts = { passed: 0, failed: 0 };

function run(program, args, extra = {}) {
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    env: { ...env, ...extra },
    stdio: "inherit",
    timeout: STAGE_LIMIT_MS,
  });
  if (error) console.error(error.message);
  if (signal) console.error(`${program} was ended by ${signal}`);
  return status === 0;
}

const node = (script, ...args) => run(process.execPath, [join(root, "scripts", script), ...args]);
const tool = (name, ...args) => run(join(root, "node_modules", ".bin", name), args);

/** Of the oldest VS Code: what its API does. `npm run test:e2e:floor` runs all the others as well. */
const FLOOR = ["welcome", "firstHour", "fleet", "jobs", "certificates", "map"].map(
  (name) => `test/e2e/${name}.test.ts`,
);

function vitest(project, extra = {}, files = []) {
  const report = join(temporary, `${project}.json`);
  rmSync(report, { force: true });
  const ok = run(
    join(root, "node_modules", ".bin", "vitest"),
    [
      "run",
      ...files,
      "--project",
      project,
      "--reporter=default",
      "--reporter=json",
      `--outputFile=${report}`,
    ],
    extra,
  );
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    console.error(`No report of the ${project} tests`);
    return false;
  }
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests;
  const skipped = result.numTotalTests - result.numPassedTests - result.numFailedTests;
  if (skipped > 0) console.error(`${skipped} ${project} tests did not run`);
  return ok && skipped === 0;
}

/** Runs what throws an Error with a sentence for the user. */
function attempt(action) {
  try {
    action();
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

const STAGES = {
  bootstrap: () => attempt(() => bootstrap(console.log)),
  system: () => attempt(() => ensureSystemPackages(PROGRAMS)),
  typecheck: () => tool("tsc", "--noEmit"),
  lint: () => tool("eslint", ".", "--max-warnings=0"),
  format: () => tool("prettier", "--check", "--log-level=warn", "."),
  knip: () => tool("knip", "--no-config-hints"),
  unit: () => vitest("unit"),
  integration: () => vitest("integration"),
  package: () => node("package.mjs"),
  e2e: () => vitest("e2e", { VSCODE_E2E_VERSION: "newest" }),
  "e2e:floor": () => vitest("e2e", { VSCODE_E2E_VERSION: "floor" }, FLOOR),
};

/** Processes that belong to this run, by the mark in their environment or by their command line. */
function ourProcesses() {
  if (process.platform !== "linux") return [];
  const read = (pid, file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", "\n");
    } catch {
      return ""; // ended meanwhile, or another user's
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({ pid, command: read(pid, "cmdline").trim().replaceAll("\n", " ") }))
    .filter(
      ({ pid, command }) =>
        command !== "" &&
        (command.includes(join(root, "dist")) ||
          command.includes(temporary) ||
          read(pid, "environ").split("\n").includes(`FUNC_TEST_RUN=${runId}`)),
    );
}

function leftovers(before) {
  const known = new Set(before.map(({ pid }) => pid));
  const end = Date.now() + LEFTOVERS_END_MS;
  for (;;) {
    const left = ourProcesses().filter(({ pid }) => !known.has(pid));
    if (left.length === 0 || Date.now() > end) return left;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in STAGES));
if (unknown.length > 0) {
  rmSync(temporary, { recursive: true });
  console.error(`No stage ${unknown.join(", ")}. Stages: ${Object.keys(STAGES).join(", ")}`);
  process.exit(2);
}

const before = ourProcesses();
const rows = [];
let ok = true;
for (const [name, stage] of Object.entries(STAGES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  if (!ok) {
    rows.push([name, "not run", ""]);
    continue;
  }
  console.log(`\n--- ${name}`);
  const start = Date.now();
  ok = stage();
  rows.push([name, ok ? "passed" : "FAILED", `${((Date.now() - start) / 1000).toFixed(1)} s`]);
}

const left = leftovers(before);
for (const { pid, command } of left) {
  console.error(`Still running after the tests: ${pid} ${command}`);
  try {
    process.kill(Number(pid), "SIGKILL");
  } catch {
    // ended by itself at last
  }
}
rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
rows.push(["no process left behind", left.length === 0 ? "passed" : "FAILED", ""]);
ok &&= left.length === 0;

console.log();
for (const [name, result, time] of rows) {
  console.log(`${name.padEnd(24)}${result.padEnd(9)}${time.padStart(8)}`);
}
// a stage without tests of its own that fails counts as one
if (!ok && counts.failed === 0) counts.failed = 1;
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = ok ? 0 : 1;
