import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectOverlord, type OverlordConnection } from "../../../server/client/connection";
import { ROOT } from "./paths";

/** To the overlord of a data directory, by the programs under test; whoever asks for it ends it. */
export function connectTo(dataDirectory: string): Promise<OverlordConnection> {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  const launch = { execPath: process.execPath, script: join(ROOT, "dist", "overlord.js") };
  return connectOverlord({ dataDirectory, kind: "library", version, launch });
}
