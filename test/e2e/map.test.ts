import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FrameLocator, Locator } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testHostsBehind } from "./harness/hostsBehind";
import { EVIDENCE } from "./harness/paths";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

/** Two sub-overlords with two minions each: with this overlord seven hosts. */
const TREE = "2x2";
const PAN_FRAMES = 120;
const TITLE_BAR = { x: 1_050, y: 18 };

let session: Session;
let workbench: Workbench;
/** The map as it was built by asking the hosts. */
let built: string;

beforeAll(async () => {
  session = await startSession(TREE);
  workbench = session.workbench;
  built = readFileSync(join(session.home, "map"), "utf8");
  await workbench.openContainer("Func");
  await workbench.tree("Minions").getByRole("treeitem").first().waitFor({ timeout: 60_000 });
});
afterAll(() => session.stop());
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("seven hosts: the drawing, the card, the list, and what axe says of them", async () => {
  await openMap(built);
  await page().getByText("6 minions · 2 tiers").waitFor();
  await find("minion3");
  const card = page().getByRole("complementary", { name: "The selected host" });
  await card.getByText("mid2 › minion3").waitFor();
  await session.screenshots("map-7");
  await contrasts("map-7");
  await session.picture("map", workbench.page.locator(".part.editor"), 600);
  expect(await session.accessibilityProblems(page())).toEqual([]);
  await button("List").click();
  const list = page().getByRole("tree", { name: "Delegation map" });
  await list.getByRole("treeitem", { name: /^minion3, minion, reachable/ }).waitFor();
  expect(await list.getByRole("treeitem").count()).toBe(7);
  await list.focus();
  await workbench.page.keyboard.press("ArrowLeft");
  await card.getByText("sub-overlord").waitFor();
  await workbench.page.keyboard.press("ArrowLeft");
  await waitUntil("the folded sub-overlord", async () => {
    return (await list.getByRole("treeitem").count()) === 5;
  });
  await workbench.page.keyboard.type("mid1");
  await selectedRow(list, "mid1");
  await workbench.page.keyboard.press("ArrowDown");
  await selectedRow(list, "minion1");
  await session.screenshots("map-7-list");
  await contrasts("map-7-list");
  expect(await session.accessibilityProblems(page())).toEqual([]);
});

test("a reload restores what was selected, found and folded", async () => {
  await openMap(built);
  await find("minion4");
  await button("List").click();
  await page().getByRole("tree", { name: "Delegation map" }).waitFor();
  await workbench.page.waitForTimeout(500);
  await workbench.reload();
  await workbench.openContainer("Func");
  await page().getByText("mid2 › minion4").waitFor({ timeout: 60_000 });
  expect(await page().locator(".query").inputValue()).toBe("minion4");
  await page().getByRole("tree", { name: "Delegation map" }).waitFor();
  await button("List").click();
});

test("a host behind a sub-overlord is pinged from its menu, and shows how it went", async () => {
  await openMap(built);
  await find("minion1");
  await overHost();
  await workbench.page.mouse.down({ button: "right" });
  await workbench.page.mouse.up({ button: "right" });
  await workbench.chooseFromMenu("Ping");
  await workbench.editorTab(/^Results:/).waitFor();
  const results = new ResultsPage(workbench);
  const [row = ""] = await results.allRows(1, /succeeded/);
  expect(row).toContain("minion1");
  expect(row).toContain("via mid1");
  await session.screenshots("map-results-via");
  expect(await session.accessibilityProblems(results.document)).toEqual([]);
  await workbench.closeEditors();
  await workbench.palette("Func: Show Delegation Map");
  const card = page().getByRole("complementary", { name: "The selected host" });
  await find("minion1");
  await card.getByText(/reachable, last seen/).waitFor();
  await card.getByText(/days left/).waitFor();
});

test("calls in flight are shown on their way", async () => {
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type("minion*");
  await workbench.typeCommand("sleep 15");
  await workbench.editorTab(/^Results:/).waitFor();
  await openMap(built);
  await page().locator(".figures .icon.running").waitFor();
  await page().getByText("Calls are under way", { exact: true }).waitFor({ state: "attached" });
  await session.screenshots("map-calls");
  await find("minion2");
  // the harness asks VS Code for rest
  await setRest(false);
  const before = await canvasPicture();
  await workbench.page.waitForTimeout(300);
  expect(await canvasPicture()).not.toBe(before);
  await picture("map-calls-moving");
  await contrasts("map-calls-moving", false);
  await setRest(true);
  await workbench.page.waitForTimeout(500);
  const resting = await canvasPicture();
  await workbench.page.waitForTimeout(500);
  expect(await canvasPicture()).toBe(resting);
});

test("minions behind a sub-overlord stand below it in the tree, with the same menu", async () => {
  await workbench.row("Minions", "mid1").locator(".label-name").click();
  await workbench.page.keyboard.press("ArrowRight");
  await workbench.row("Minions", "minion2").waitFor();
  const rows = await workbench.rows("Minions");
  expect(rows.find(({ label }) => label === "mid1")?.description).toContain("2 minions");
  expect(rows.find(({ label }) => label === "minion2")?.level).toBe(2);
  await session.screenshots("map-tree");
  await workbench.context("Minions", "minion2", "Show Call Path");
  await page().getByText("mid1 › minion2").waitFor();
});

testHostsBehind(() => session);

test("300 hosts: near each one shows, from afar those of a sub-overlord are a block", async () => {
  await openMap(
    mapText([
      ["gw-fra", 190],
      ["gw-ams", 90],
      ["gw-lab", 14],
    ]),
  );
  await page().getByText("297 minions · 2 tiers").waitFor();
  await find("gw-lab-04");
  await session.screenshots("map-300");
  await button("Expand").click();
  await overHost(0.3, 0.5);
  await session.screenshots("map-300-all");
  await contrasts("map-300-all");
  const blocks = await canvasPicture();
  await workbench.page.mouse.down();
  await workbench.page.mouse.up();
  await waitUntil("the minions of the block", async () => (await canvasPicture()) !== blocks);
  await overHost(0.4, 0.5);
  await session.screenshots("map-300-near");
});

test("10,000 hosts are panned and zoomed without stumbling", async () => {
  await openMap(mapText(Array.from({ length: 20 }, (_, at) => [`gw-${at + 1}`, 499])));
  await page().getByText("10,000 minions · 2 tiers").waitFor();
  await session.screenshots("map-10000-first");
  await button("Expand").click();
  await session.screenshots("map-10000");
  await contrasts("map-10000");
  const whole = await framesPerSecond();
  await find("gw-7-250");
  await session.screenshots("map-10000-near");
  const near = await framesPerSecond();
  const figures = { whole, near };
  mkdirSync(EVIDENCE, { recursive: true });
  writeFileSync(join(EVIDENCE, "map-10000.json"), JSON.stringify(figures, undefined, 1));
  process.stdout.write(`Panning 10,000 hosts: ${JSON.stringify(figures)}\n`);
  expect(await session.accessibilityProblems(page())).toEqual([]);
});

test("a damaged map is told with its place, while the last good one shows", async () => {
  await openMap(built);
  await writeMap("---\nmid1:\n  minion1: {}\n   minion2: [\n");
  await button("Refresh").click();
  const alert = page().getByRole("alert");
  await alert.getByText("The last good map shows.").waitFor();
  expect(await alert.innerText()).toMatch(/map:\d+:\d+/);
  await session.screenshots("map-damaged");
  expect(await session.accessibilityProblems(page())).toEqual([]);
});

test("the map's file is checked, completed and explained while it is edited", async () => {
  const { page: window } = workbench;
  await writeMap("---\nmid1:\n    minion1: {}\nstranger: {}\n");
  await workbench.palette("Func: Open Delegation Map File");
  await workbench.editorTab("map").waitFor();
  const editor = window.locator(".part.editor .monaco-editor").first();
  await editor.locator(".squiggly-error").first().waitFor();
  const line = editor.locator(".view-line", { hasText: "mid1" });
  await line
    .locator("span > span")
    .first()
    .hover({ position: { x: 10, y: 8 } });
  await window.locator(".monaco-hover").getByText(/^mid1/).first().waitFor();
  await session.screenshots("map-file");
  await window.keyboard.press("Escape");
  await window.keyboard.press("Control+End");
  await window.keyboard.type("mid");
  await window.keyboard.press("Control+Space");
  await window.locator(".suggest-widget").getByText("mid2").first().waitFor();
  await window.keyboard.type("2");
  await window.keyboard.press("Enter");
  await editor.getByText("mid2:", { exact: false }).first().waitFor();
  await window.keyboard.press("Control+S");
  await waitUntil("the completed map", () => {
    return Promise.resolve(/^mid2: \{\}/m.test(readFileSync(join(session.home, "map"), "utf8")));
  });
});

test("a call by the last good map says what is wrong with the map", async () => {
  await openMap(built);
  await page().getByText("6 minions · 2 tiers").waitFor();
  await writeMap("---\nmid1: [\n");
  await workbench.palette("Func: Ping");
  await workbench.type("minion1");
  await workbench.editorTab(/^Results:/).waitFor();
  const results = new ResultsPage(workbench);
  await results.document.getByText(/map:\d+:\d+/).waitFor();
  await session.screenshots("map-warning");
  await writeMap(built);
});

test("without a map there is a way to build one", async () => {
  rmSync(join(session.home, "map"), { force: true });
  await workbench.palette("Func: Show Delegation Map");
  await page().getByRole("button", { name: "Build Delegation Map" }).waitFor();
  await session.screenshots("map-none");
  expect(await session.accessibilityProblems(page())).toEqual([]);
});

test("the page kept to its content security policy", () => {
  expect(session.policyViolations()).toEqual([]);
});

function page(): FrameLocator {
  return workbench.webview;
}

function button(name: string): Locator {
  return page().getByRole("button", { name: new RegExp(`^${name}`) });
}

async function openMap(text: string): Promise<void> {
  await writeMap(text);
  await workbench.palette("Func: Show Delegation Map");
  await button("Refresh").click();
  // a button under the pointer looks as if it were pressed
  await workbench.page.mouse.move(TITLE_BAR.x, TITLE_BAR.y);
}

/** Another length and time: the overlord sees that it is new. */
async function writeMap(text: string): Promise<void> {
  writeFileSync(join(session.home, "map"), text);
  await workbench.page.waitForTimeout(50);
}

/** Finds a host by its whole name and goes to it. */
async function find(name: string): Promise<void> {
  const query = page().locator(".query");
  await query.fill(name);
  await page().locator(".found").getByText("1 found").or(page().getByText("1 of 1")).waitFor();
  await query.press("Enter");
  await page().getByRole("heading", { name }).waitFor();
}

/**
 * Moves the mouse, from this part of the drawing's width to the left, onto the first host or block at this part of its
 * height; one that was found stands at half of it.
 */
async function overHost(high = 0.5, from = 0.98): Promise<void> {
  const canvas = page().locator("canvas");
  const box = await canvas.boundingBox();
  if (!box) throw new Error("The map does not show");
  for (let x = box.width * from; x > 0; x -= 10) {
    await workbench.page.mouse.move(box.x + x, box.y + box.height * high);
    await workbench.page.waitForTimeout(20);
    if ((await canvas.getAttribute("class"))?.includes("over-host")) return;
  }
  throw new Error("The pointer came over no host");
}

async function picture(name: string): Promise<void> {
  await workbench.page.screenshot({ caret: "initial", path: join(EVIDENCE, `${name}.png`) });
}

/** What the page shows to those who need high contrast, dark or light; `light` false: in the dark only. */
async function contrasts(name: string, light = true): Promise<void> {
  const { page: window } = workbench;
  const schemes = light ? (["light", "dark"] as const) : (["dark"] as const);
  for (const colorScheme of schemes) {
    await window.emulateMedia({ forcedColors: "active", colorScheme });
    const theme = colorScheme === "dark" ? "hc-black" : "hc-light";
    await window.locator(`.monaco-workbench.${theme}`).waitFor();
    // webviews change their colours after the window's own parts
    await page().locator("body.vscode-high-contrast").waitFor();
    await window.waitForTimeout(300);
    await picture(`${name}-contrast-${colorScheme}`);
  }
  await window.emulateMedia({ forcedColors: "none", colorScheme: "dark" });
  await window.locator(".monaco-workbench.vs-dark").waitFor();
}

async function selectedRow(list: Locator, name: string): Promise<void> {
  await list.locator('[aria-selected="true"] .name').getByText(name, { exact: true }).waitFor();
}

/** As VS Code does where its setting, or the system, says so. */
async function setRest(rest: boolean): Promise<void> {
  await page()
    .locator("body")
    .evaluate((body, on) => body.classList.toggle("vscode-reduce-motion", on), rest);
}

function canvasPicture(): Promise<string> {
  return page()
    .locator("canvas")
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
}

/** Pulls the drawing about, a step for each picture. For people to read: at least 30 are wanted on an idle machine. */
function framesPerSecond(): Promise<{ framesPerSecond: number; p50: number; p95: number }> {
  return page()
    .locator("canvas")
    .evaluate(async (canvas: HTMLCanvasElement, frames) => {
      const send = (type: string, x: number, y: number): void => {
        const at = { pointerId: 7, clientX: 600 + x, clientY: 400 + y, button: 0, bubbles: true };
        canvas.dispatchEvent(new PointerEvent(type, at));
      };
      const times: number[] = [];
      send("pointerdown", 0, 0);
      const start = performance.now();
      let last = start;
      for (let frame = 1; frame <= frames; frame++) {
        const turn = (frame / frames) * Math.PI * 4;
        send("pointermove", Math.sin(turn) * 150, Math.sin(turn * 2) * 250);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - last);
        last = now;
      }
      send("pointerup", 0, 0);
      times.sort((a, b) => a - b);
      const at = (part: number): number =>
        Math.round((times[Math.floor(part * frames)] ?? 0) * 10) / 10;
      const rate = (frames / (last - start)) * 1_000;
      return { framesPerSecond: Math.round(rate), p50: at(0.5), p95: at(0.95) };
    }, PAN_FRAMES);
}

/** Sub-overlords with so many minions each, in the original's format. */
function mapText(overlords: readonly (readonly [string, number])[]): string {
  const lines = overlords.flatMap(([name, count]) => [
    `${name}:`,
    ...Array.from({ length: count }, (_, at) => `  ${name}-${String(at + 1).padStart(2, "0")}: {}`),
  ]);
  return `---\n${lines.join("\n")}\n`;
}
