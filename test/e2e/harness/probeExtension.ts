import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createVSIX } from "@vscode/vsce";

/** An extension that tests put beside ours: `main` is its CommonJS source. */
export interface ProbeExtension {
  /** Also the name of its folder and file. */
  name: string;
  commands: readonly { command: string; title: string }[];
  main: string;
}

/** Packs it in `folder`; gives the path of the vsix. Its commands stand in the palette below "Probe". */
export async function packProbe(folder: string, probe: ProbeExtension): Promise<string> {
  const source = join(folder, probe.name);
  mkdirSync(source, { recursive: true });
  const manifest = {
    name: probe.name,
    publisher: "probe",
    version: "1.0.0",
    engines: { vscode: "^1.100.0" },
    main: "./main.js",
    files: ["main.js"],
    contributes: { commands: probe.commands.map((one) => ({ ...one, category: "Probe" })) },
  };
  writeFileSync(join(source, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(source, "main.js"), probe.main);
  const packagePath = join(folder, `${probe.name}.vsix`);
  await createVSIX({
    cwd: source,
    packagePath,
    dependencies: false,
    allowMissingRepository: true,
    skipLicense: true,
  });
  return packagePath;
}
