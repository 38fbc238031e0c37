// node scripts/run.mjs NAME [ARGS...]: installs and builds where needed, then runs dist/dev/NAME.js
// in this process, so that signals and the exit status need no passing on. package.json says "exec"
// for the same reason: else the shell between npm and this would die of a signal and leave us alone.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setInterval } from "node:timers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bootstrap } from "./bootstrap.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const name = process.argv[2] ?? "";
try {
  if (!/^[a-z]+$/.test(name)) throw new Error("usage: node scripts/run.mjs NAME [ARGS...]");
  bootstrap();
  const script = join(root, "dist", "dev", `${name}.js`);
  if (!existsSync(script)) throw new Error(`There is no scripts/${name}.ts.`);
  process.argv.splice(1, 2, script);
  endWithNpm();
  await import(pathToFileURL(script).href);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** An npm that is killed hard cannot pass that on: its end is noticed here. */
function endWithNpm() {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, 1_000).unref();
}
