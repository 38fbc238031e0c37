import { join } from "node:path";
import type { OverlordLaunch } from "./overlordProcess";

/** The overlord beside the bundle that this is part of: bundles lie side by side in dist/. */
export function bundledOverlord(): OverlordLaunch {
  return {
    execPath: process.execPath,
    script: join(__dirname, "overlord.js"),
    // the program may run on the Node that is in VS Code
    ...(process.versions["electron"] !== undefined && { env: { ELECTRON_RUN_AS_NODE: "1" } }),
  };
}
