// Packs the extension (built already) as dist/func-overlord.vsix or the file that is named.
import { createVSIX } from "@vscode/vsce";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
await createVSIX({
  cwd: root,
  packagePath: resolve(process.argv[2] ?? join(root, "dist", "func-overlord.vsix")),
  dependencies: false, // everything is bundled
  allowMissingRepository: true,
  rewriteRelativeLinks: false,
});
