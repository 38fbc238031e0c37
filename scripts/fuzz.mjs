// npm run fuzz: bundles test/fuzz/main.ts as it is now and runs it; --help says more.
import { build } from "esbuild";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "dist", "dev");
const script = join(folder, `fuzz-${process.pid}.cjs`);
mkdirSync(folder, { recursive: true });
process.once("exit", () => rmSync(script, { force: true }));
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
await build({
  absWorkingDir: root,
  entryPoints: ["test/fuzz/main.ts"],
  outfile: script,
  bundle: true,
  platform: "node",
  format: "cjs",
  mainFields: ["module", "main"],
  external: ["esbuild"],
  define: { __VERSION__: '"0.0.0-fuzz"' },
  logLevel: "warning",
});
process.argv.splice(1, 1, script);
await import(pathToFileURL(script).href);
