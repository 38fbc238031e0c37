// npm run fleet -- --size N | --tree 2x3 [--home DIR]: minions and their overlord on this machine, until Ctrl-C.
import { parseArgs } from "node:util";
import { FuncError } from "../server/common/errors";
import { startLocalOverlord, subOverlordLines } from "./localOverlord";
import { parseSize, parseTree } from "./localTree";
import { runScript, untilInterrupted } from "./runScript";

const DEFAULT_SIZE = 3;

void runScript(async (signal) => {
  const { values } = parseArgs({
    options: { size: { type: "string" }, tree: { type: "string" }, home: { type: "string" } },
  });
  const { size = String(DEFAULT_SIZE), tree, home } = values;
  if (tree !== undefined && values.size !== undefined) {
    throw new FuncError("bad-argument", "--size does not go with --tree.");
  }
  const overlord = await startLocalOverlord({
    tiers: tree === undefined ? parseSize(size) : parseTree(tree),
    ...(home !== undefined && { home }),
    signal,
    onProgress: (message) => process.stderr.write(`${message} ...\n`),
  });
  process.stdout.write(
    `fleet ready: ${overlord.names.length} minions, FUNC_HOME=${overlord.home}\n`,
  );
  for (const line of subOverlordLines(overlord)) process.stdout.write(`${line}\n`);
  process.stderr.write("Ctrl-C stops the minions and the overlord.\n");
  await untilInterrupted(signal);
  process.stderr.write("stopping ...\n");
  await overlord.close();
});
