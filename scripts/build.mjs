// Builds every bundle into dist/ and checks their size budgets. `--dev` adds source maps.
import { build } from "esbuild";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { clientTypes } from "./clientTypes.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const dev = process.argv.includes("--dev");

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: !dev,
  sourcemap: dev ? "inline" : false,
  legalComments: "none",
  define: { __VERSION__: JSON.stringify(version) },
  logLevel: "warning",
};
const node = {
  ...common,
  platform: "node",
  format: "cjs",
  target: "node20",
  mainFields: ["module", "main"],
};
// where a program ends by an error of the library, Node prints the line
const readable = { ...node, minify: false };
const executable = { banner: { js: "#!/usr/bin/env node" } };
const browser = { ...common, platform: "browser", format: "esm", target: "es2022" };

/** Largest size of each bundle in kB (1,000 bytes). */
const bundles = [
  {
    file: "extension.js",
    entry: "extension/extension.ts",
    kB: 185,
    options: {
      ...node,
      external: [
        "vscode",
        "./overlordClient.js",
        "./mapPanels.js",
        "./mapFiles.js",
        "./searchJobs.js",
        "./copyDiagnostics.js",
        "./exportJob.js",
      ],
    },
  },
  {
    file: "overlordClient.js",
    entry: "extension/overlordClient.ts",
    kB: 450,
    options: { ...node, external: ["vscode"] },
  },
  {
    file: "searchJobs.js",
    entry: "extension/searchJobs.ts",
    kB: 20,
    options: { ...node, external: ["vscode"] },
  },
  {
    file: "mapFiles.js",
    entry: "extension/mapFiles.ts",
    kB: 20,
    options: { ...node, external: ["vscode"] },
  },
  {
    file: "mapPanels.js",
    entry: "extension/mapPanels.ts",
    kB: 40,
    options: { ...node, external: ["vscode"] },
  },
  {
    file: "copyDiagnostics.js",
    entry: "extension/copyDiagnostics.ts",
    kB: 15,
    options: { ...node, external: ["vscode"] },
  },
  {
    file: "exportJob.js",
    entry: "extension/exportJob.ts",
    kB: 20,
    options: { ...node, external: ["vscode"] },
  },
  { file: "overlord.js", entry: "server/overlord/main.ts", kB: 750, options: node },
  { file: "store.js", entry: "server/jobs/store/worker.ts", kB: 120, options: node },
  {
    file: "funcd.js",
    entry: "server/minion/funcd.ts",
    kB: 600,
    options: { ...node, ...executable },
  },
  { file: "func.js", entry: "server/cli/func.ts", kB: 600, options: { ...node, ...executable } },
  { file: "client.js", entry: "server/client/library/client.ts", kB: 240, options: readable },
  { file: "webview/results.js", entry: "media/results/results.ts", kB: 120, options: browser },
  { file: "webview/map.js", entry: "media/map/map.ts", kB: 70, options: browser },
  { file: "webview/results.css", entry: "media/results/results.css", kB: 15, options: browser },
  { file: "webview/map.css", entry: "media/map/map.css", kB: 10, options: browser },
  { file: "dev/fleet.js", entry: "scripts/fleet.ts", kB: 600, options: node },
  { file: "dev/demo.js", entry: "scripts/demo.ts", kB: 600, options: node },
  { file: "dev/start.js", entry: "scripts/start.ts", kB: 600, options: node },
  { file: "dev/bench.js", entry: "scripts/bench.ts", kB: 800, options: node },
  { file: "dev/chaos.js", entry: "scripts/chaos.ts", kB: 600, options: node },
];

/** What is copied as it is. */
const copies = [{ file: "sql-wasm.wasm", from: "node_modules/sql.js/dist/sql-wasm.wasm" }];

// Built aside and renamed one by one: whoever runs a bundle at this moment finds the old or the new one.
const dist = join(root, "dist");
const fresh = join(dist, `.new-${process.pid}`);
for (const folder of ["webview", "dev"]) {
  mkdirSync(join(dist, folder), { recursive: true });
  mkdirSync(join(fresh, folder), { recursive: true });
}
try {
  await Promise.all(
    bundles.map(({ file, entry, options }) =>
      build({ ...options, entryPoints: [entry], outfile: join(fresh, file) }),
    ),
  );
  for (const { file, from } of copies) copyFileSync(join(root, from), join(fresh, file));
  const types = clientTypes(join(root, "server/client/library/client.ts"));
  writeFileSync(join(fresh, "client.d.ts"), types);
  for (const { file } of [...bundles, ...copies, { file: "client.d.ts" }]) {
    renameSync(join(fresh, file), join(dist, file));
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

let over = 0;
for (const { file, kB } of dev ? [] : bundles) {
  const size = statSync(join(root, "dist", file)).size / 1000;
  if (size > kB) {
    over++;
    console.error(`dist/${file} has ${size.toFixed(0)} kB, its budget is ${kB} kB`);
  } else {
    console.log(`${size.toFixed(0).padStart(5)} kB of ${kB}  dist/${file}`);
  }
}
process.exitCode = over ? 1 : 0;
