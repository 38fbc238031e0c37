import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { ROOT } from "./paths";

const DEBIAN_CHROMIUM = "/usr/bin/chromium";

/** Starts a headless Chromium ($CHROMIUM or the system's, which is installed where it is missing). */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? DEBIAN_CHROMIUM;
  if (!existsSync(executablePath)) {
    execFileSync(process.execPath, [join(ROOT, "scripts", "systemPackages.mjs"), "chromium"], {
      stdio: "inherit",
    });
  }
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox", // root cannot have one
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
      // every other look-up fails at once
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ],
  });
}
