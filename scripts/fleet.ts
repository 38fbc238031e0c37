// npm run fleet -- --size N [--home DIR]: N minions and their overlord on this machine, until Ctrl-C.
import { parseArgs } from "node:util";
import { startLocalOverlord } from "./localOverlord";
import { runScript, untilInterrupted } from "./runScript";

const DEFAULT_SIZE = 3;

void runScript(async (signal) => {
  const { values } = parseArgs({ options: { size: { type: "string" }, home: { type: "string" } } });
  const size = values.size === undefined ? DEFAULT_SIZE : Number(values.size);
  const overlord = await startLocalOverlord({
    size,
    ...(values.home !== undefined && { home: values.home }),
    signal,
    onProgress: (message) => process.stderr.write(`${message} ...\n`),
  });
  process.stdout.write(`fleet ready: ${size} minions, FUNC_HOME=${overlord.home}\n`);
  process.stderr.write("Ctrl-C stops the minions and the overlord.\n");
  await untilInterrupted(signal);
  process.stderr.write("stopping ...\n");
  await overlord.close();
});
