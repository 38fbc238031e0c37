import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths";

/** Nothing listens there: a connection is refused at once. */
const CLOSED_PORT = 1;

/** Puts hosts that are switched off into the inventory of a new data directory. */
export function addAbsentMinions(home: string, names: readonly string[]): void {
  const minions = names.map((name) => ({
    name,
    address: "127.0.0.1",
    port: CLOSED_PORT,
    enrolledAtMs: Date.UTC(2026, 0, 1),
    keyFingerprint: "0".repeat(64),
    certificateSerial: "01",
    certificateNotAfterMs: Date.UTC(2100, 0, 1),
  }));
  // where minions have certificates, a CA that is missing is not made anew
  const env = { ...process.env, FUNC_HOME: home };
  const func = (...args: string[]): void => {
    const script = join(ROOT, "dist", "func.js");
    execFileSync(process.execPath, [script, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  };
  func("ca", "token");
  func("overlord", "stop");
  const file = join(home, "inventory.json");
  writeFileSync(file, JSON.stringify({ version: 1, minions }), { mode: 0o600 });
}

/** "lab-00001", "lab-00002", ... */
export function labNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `lab-${String(at + 1).padStart(5, "0")}`);
}
