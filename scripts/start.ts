// npm start: VS Code with this extension and minions below two sub-overlords, all on this machine, until Ctrl-C.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startLocalOverlord, subOverlordLines } from "./localOverlord";
import { parseSize } from "./localTree";
import { runScript, untilInterrupted } from "./runScript";
import { findDesktopCode, startDesktopCode } from "./desktopCode";
import { startCodeServer } from "./codeServer";

/** Two sub-overlords with two minions each, and one directly below the top. */
const TREE = { tiers: [2, 2], direct: 1 };

void runScript(async (signal) => {
  const { values } = parseArgs({ options: { size: { type: "string" }, home: { type: "string" } } });
  const onProgress = (message: string): void => void process.stderr.write(`${message} ...\n`);
  const overlord = await startLocalOverlord({
    ...(values.size === undefined ? TREE : { tiers: parseSize(values.size) }),
    ...(values.home !== undefined && { home: values.home }),
    signal,
    onProgress,
  });
  const folder = await mkdtemp(join(tmpdir(), "func-code-"));
  try {
    const workspace = join(folder, "workspace");
    await mkdir(workspace);
    await writeFile(join(workspace, "README.md"), README);
    const launch = { folder, workspace, env: { FUNC_HOME: overlord.home }, signal, onProgress };
    const desktop = findDesktopCode();
    const code =
      desktop === undefined
        ? await startCodeServer(launch)
        : await startDesktopCode(desktop, launch);
    try {
      process.stdout.write(`VS Code with ${overlord.names.length} minions: ${code.where}\n`);
      process.stdout.write(
        `The same minions from a terminal: FUNC_HOME=${overlord.home} node dist/func.js "*" --delegate ping\n`,
      );
      for (const line of subOverlordLines(overlord)) process.stdout.write(`${line}\n`);
      process.stderr.write("Ctrl-C stops everything.\n");
      await Promise.race([untilInterrupted(signal), code.ended]);
    } finally {
      onProgress("stopping");
      await code.stop();
    }
  } finally {
    await overlord.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

const README = `# Func Overlord

The Func icon in the activity bar shows the minions of this trial fleet: mid1 and mid2 are sub-overlords, with
minions of their own behind them.
They run on this machine and end when \`npm start\` ends.
`;
