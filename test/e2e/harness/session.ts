import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FrameLocator, Locator } from "playwright-core";
import { accessibilityProblems } from "./accessibility";
import { startBrowser } from "./browser";
import { type Fleet, overlordPid, startFleet } from "./fleet";
import { EVIDENCE } from "./paths";
import { isAlive, killQuietly, waitUntil } from "./processes";
import { startVscode } from "./vscodeServer";
import { Workbench } from "./workbench";

const ACTION_MS = 20_000;
/** Tall, since lists draw only the rows that fit. */
export const VIEWPORT = { width: 1280, height: 900 };

/** VS Code in a browser, with the extension, on a data directory and a fleet of its own. */
export interface Session {
  workbench: Workbench;
  /** The data directory (FUNC_HOME). */
  home: string;
  /** Where VS Code keeps the user's settings and what extensions store. */
  userFolder: string;
  /** Whether this VS Code can open terminals. */
  hasTerminals: boolean;
  /** Saves what the page shows as `<name>.png`, in the dark and in the light theme. */
  screenshots(name: string): Promise<void>;
  /** As screenshots, in the two themes of high contrast. */
  contrastScreenshots(name: string): Promise<void>;
  /** Saves a part of the page as `walkthrough/<name>-<theme>.png`: media/walkthrough holds copies of these. */
  picture(name: string, part: Locator, maxHeight?: number): Promise<void>;
  /** What axe finds wrong in a document, one line each. */
  accessibilityProblems(document: FrameLocator): Promise<string[]>;
  /** What our pages were kept from doing by their content security policy. */
  policyViolations(): string[];
  /** Keeps what explains a failure: the page, its console, the server's output and all log files. */
  keepEvidence(name: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts all of it; `minions` is the fleet's size, or its tree ("2x3"); 0 for an empty data directory. `prepare` may put files
 * into that directory first; `extensions` are files of extensions beside ours.
 */
export async function startSession(
  minions: number | string,
  prepare: (home: string) => void = () => undefined,
  extensions: readonly string[] = [],
): Promise<Session> {
  const cleanups: (() => void | Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    return await startAll(minions, prepare, extensions, cleanups, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  minions: number | string,
  prepare: (home: string) => void,
  extensions: readonly string[],
  cleanups: (() => void | Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Session> {
  const home = mkdtempSync(join(tmpdir(), "fo-"));
  cleanups.push(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  cleanups.push(() => endOverlord(home));
  // any free port: the usual one may be in use by an overlord of this machine
  writeFileSync(join(home, "overlord.yaml"), 'certmaster:\n  listen: "127.0.0.1:0"\n');
  prepare(home);
  if (minions !== 0) {
    const fleet: Fleet = await startFleet(home, minions);
    cleanups.push(() => fleet.stop());
  }
  const server = await startVscode({ FUNC_HOME: home }, extensions);
  cleanups.push(() => server.stop());
  const browser = await startBrowser();
  cleanups.push(() => browser.close());
  const context = await browser.newContext({
    viewport: VIEWPORT,
    colorScheme: "dark",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(ACTION_MS);
  const console: string[] = [];
  page.on("console", (message) => console.push(`${message.type()}: ${message.text()}`));
  const workbench = new Workbench(page);
  await page.goto(server.url);
  await workbench.ready();
  mkdirSync(EVIDENCE, { recursive: true });

  const setTheme = async (theme: "dark" | "light"): Promise<void> => {
    await page.emulateMedia({ colorScheme: theme });
    await page.locator(`.monaco-workbench.${theme === "dark" ? "vs-dark" : "vs"}`).waitFor();
    await page.waitForTimeout(THEME_SETTLES_MS);
  };
  return {
    workbench,
    home,
    userFolder: server.userFolder,
    hasTerminals: server.hasTerminals,
    async screenshots(name) {
      for (const theme of ["light", "dark"] as const) {
        await setTheme(theme);
        // its default, to hide the caret, adds a style to every frame, which our policy forbids
        await page.screenshot({ caret: "initial", path: join(EVIDENCE, `${name}-${theme}.png`) });
      }
    },
    async contrastScreenshots(name) {
      for (const scheme of ["light", "dark"] as const) {
        const { contrast, usual, className } = CONTRAST_THEMES[scheme];
        await setTheme(scheme);
        await workbench.chooseTheme(contrast);
        await page.locator(`.monaco-workbench.${className}`).waitFor();
        await page.waitForTimeout(THEME_SETTLES_MS);
        const path = join(EVIDENCE, `${name}-contrast-${scheme}.png`);
        await page.screenshot({ caret: "initial", path });
        await workbench.chooseTheme(usual);
        await setTheme(scheme);
      }
    },
    async picture(name, part, maxHeight = Infinity) {
      const folder = join(EVIDENCE, "walkthrough");
      mkdirSync(folder, { recursive: true });
      const debug = await context.newCDPSession(page);
      for (const theme of ["light", "dark"] as const) {
        await setTheme(theme);
        const box = await part.boundingBox();
        if (!box) throw new Error(`Nothing shows to take the picture ${name} of`);
        const { data } = await debug.send("Page.captureScreenshot", {
          format: "png",
          // walkthroughs show pictures at two thirds of their size
          clip: { ...box, height: Math.min(box.height, maxHeight), scale: 1.5 },
        });
        writeFileSync(join(folder, `${name}-${theme}.png`), Buffer.from(data, "base64"));
      }
      await debug.detach();
    },
    accessibilityProblems,
    policyViolations: () => console.filter((line) => line.includes(OUR_POLICY)),
    async keepEvidence(name) {
      const folder = join(EVIDENCE, "failures", name.replace(/[^a-z0-9]+/gi, "-"));
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "console.log"), console.join("\n"));
      writeFileSync(join(folder, "server.log"), server.output());
      await page.screenshot({ caret: "initial", path: join(folder, "page.png") });
      cpSync(server.logFolder, join(folder, "logs"), { recursive: true });
      const log = join(home, "overlord.log");
      if (existsSync(log)) cpSync(log, join(folder, "overlord.log"));
    },
    stop,
  };
}

/** The part of a webview's policy that tells it from the workbench's own. */
const OUR_POLICY = "Content Security Policy directive 'style-src 'self' https://*.vscode-cdn.net'";

/** As VS Code lists them; each stands for the light or the dark one while it is chosen. */
const CONTRAST_THEMES = {
  light: { contrast: "Light High Contrast", usual: "Light Modern", className: "hc-light" },
  dark: { contrast: "Dark High Contrast", usual: "Dark Modern", className: "hc-black" },
};

/** Webviews and the window's own parts change their colours one after the other. */
const THEME_SETTLES_MS = 500;

/** The overlord outlives its clients for ten minutes: longer than its data directory lives here. */
async function endOverlord(home: string): Promise<void> {
  const pid = overlordPid(home);
  if (pid === undefined) return;
  killQuietly(pid, "SIGTERM");
  try {
    await waitUntil("the overlord's end", () => !isAlive(pid), 5_000);
  } finally {
    killQuietly(pid, "SIGKILL");
  }
}
