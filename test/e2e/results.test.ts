import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addAbsentMinions, labNames } from "./harness/absentMinions";
import { endHostProfile, packHostProfiler, startHostProfile } from "./harness/hostProfile";
import { EVIDENCE } from "./harness/paths";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const MINIONS = 6;
const ABSENT = 10_000;
const MIXED = "minion*;lab-0000[1-3]";

let session: Session;
let workbench: Workbench;
let results: ResultsPage;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "fr-"));
  const lab = (home: string): void => addAbsentMinions(home, labNames(ABSENT));
  session = await startSession(MINIONS, lab, [await packHostProfiler(scratch)]);
  workbench = session.workbench;
  results = new ResultsPage(workbench);
  await workbench.openContainer("Func");
  await workbench.tree("Minions").getByRole("treeitem").first().waitFor({ timeout: 60_000 });
});
afterAll(async () => {
  await session.stop();
  rmSync(scratch, { recursive: true, force: true });
});
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("equal results are folded, the odd ones show their difference, problems are explained", async () => {
  await runMixed("fold");
  await results.arrange("By output");
  await results.card("4 minions").getByText("nginx version: nginx/1.26.2").waitFor();
  const odd = results.card("differs from the majority in 1 line");
  expect(await odd.innerText()).toMatch(
    /- nginx version: nginx\/1\.26\.2\s[^]*\+ nginx version: nginx\/1\.24\.0/,
  );
  const failed = results.card("exit 127");
  await failed.getByText("nginx: not found").waitFor();
  const absent = results.card("lab-[00001-00003]");
  await absent.getByText("What to do").waitFor();
  expect(await absent.innerText()).toContain("unreachable");
  await session.screenshots("results-folded");
  expect(await session.accessibilityProblems(results.document)).toEqual([]);
  await results.card("4 minions").getByRole("button", { name: "4 minions" }).click();
  await waitUntil("the group's minions", async () => (await results.rows.count()) === 4);
  await results.rows.first().click();
  await results.document.getByRole("region", { name: /stdout/ }).waitFor();
  await session.screenshots("results-group-opened");
});

test("columns sort, and the filter understands states and hosts", async () => {
  await runMixed("sort");
  await results.arrange("By minion");
  await results.document.getByRole("button", { name: "State", exact: true }).click();
  await results.document.getByRole("columnheader", { name: /State/ }).waitFor();
  const first = (): Promise<string> => results.rows.first().innerText();
  await waitUntil("the sorted rows", async () => (await first()).includes("exit 0"));
  await results.document.getByRole("button", { name: /^State/ }).click();
  await waitUntil("the turned order", async () => (await first()).includes("unreachable"));
  await results.filter.fill("state:unreachable host:lab-*2");
  await waitUntil("the one row", async () => (await results.rows.count()) === 1);
  expect(await first()).toContain("lab-00002");
});

test("selected minions are called again, and only those", async () => {
  await runMixed("again");
  await results.arrange("By minion");
  await results.row("minion2").locator("button").focus();
  await workbench.page.keyboard.press("Space");
  await workbench.page.keyboard.press("Shift+ArrowDown");
  await results.document.getByText("2 selected", { exact: true }).waitFor();
  await session.screenshots("results-selected");
  await results.button("Call Again on 2 Selected").click();
  await results.document.getByText("on minion2;minion3").waitFor();
  const rows = await results.allRows(2, /exit/);
  expect(rows[0]).toContain("minion2");
  expect(rows[1]).toContain("minion3");
});

test("rows are copied by key and by menu", async () => {
  await runMixed("copy");
  await results.arrange("By minion");
  await results.row("lab-00002").locator("button").focus();
  await workbench.page.keyboard.press("Control+c");
  await waitUntil("the copied row", async () =>
    (await clipboard()).startsWith("lab-00002\tunreachable\t"),
  );
  await results.context(results.row("minion3"), "Copy...");
  await session.screenshots("results-copy-choice");
  await workbench.pick("Names");
  await waitUntil("the copied name", async () => (await clipboard()) === "minion3");
});

test("the whole outputs are searched, and the match is marked", async () => {
  const filler = "for i in $(seq 1 3000); do echo line $i of a long output; done";
  await run("minion*", `${filler}; echo the needle is here; ${filler}`);
  await results.arrange("By minion");
  await results.filter.fill("needle");
  await results.document.getByText("No result matches the filter.").waitFor();
  await results.filter.press("Enter");
  await results.document.getByText(`found in the results of ${MINIONS} minions`).waitFor();
  await waitUntil("the rows", async () => (await results.rows.count()) === MINIONS);
  expect(await results.rows.first().locator("mark").innerText()).toBe("needle");
  await session.screenshots("results-search");
  await results.button("Close Search").click();
  await results.document.getByText("No result matches the filter.").waitFor();
});

test("a large output is shown in parts", async () => {
  await run("minion1", "seq 1 200000");
  await results.arrange("By minion");
  await results.row("minion1").click();
  const output = results.document.getByRole("region", { name: /stdout/ });
  await output.waitFor();
  expect((await output.innerText()).startsWith("1\n2\n")).toBe(true);
  expect((await output.innerText()).length).toBeLessThanOrEqual(65_536);
  await results.button("Last part of Output (stdout)").click();
  await waitUntil("the end", async () => (await output.innerText()).trimEnd().endsWith("\n200000"));
  await results.document.getByRole("textbox", { name: /Go to a place/ }).fill("50%");
  await results.document.getByRole("textbox", { name: /Go to a place/ }).press("Enter");
  await waitUntil("the middle", async () => (await output.innerText()).includes("\n110000\n"));
  await session.screenshots("results-large");
  await results.button("Open in Editor").click();
  await workbench.editorTab(/minion1/).waitFor();
  await workbench.page.locator(".monaco-editor .view-line").first().waitFor();
});

test("two selected outputs open in the diff editor", async () => {
  await runMixed("compare");
  await results.arrange("By output");
  await results.card("4 minions").getByRole("checkbox").click();
  await results.card("1.24.0").getByRole("checkbox").click();
  await results.button("Compare").click();
  await workbench.page.locator(".diff-editor, .monaco-diff-editor").first().waitFor();
  await session.screenshots("results-compared");
});

test("results are exported whole, and nothing else is left beside the file", async () => {
  await runMixed("export");
  await results.button("Export…").click();
  await session.screenshots("results-export-choice");
  await workbench.pick(/^JSON/);
  await workbench.saveAs(join(scratch, "out.json"));
  await workbench.notification("were written").waitFor();
  const exported = JSON.parse(readFileSync(join(scratch, "out.json"), "utf8")) as Exported[];
  expect(exported).toHaveLength(MINIONS + 3);
  expect(exported.filter(({ exitStatus }) => exitStatus === 127)).toHaveLength(1);
  expect(exported.find(({ minion }) => minion === "lab-00001")?.error?.message).toContain(
    "refused",
  );
  expect(readdirSync(scratch).filter((name) => name.includes("out.json"))).toEqual(["out.json"]);
});

test("10,000 results are shown, and a reload restores how", async () => {
  await startHostProfile(workbench);
  await run("lab-*", "true", "10000");
  await results.arrange("By output");
  await results.card("10,000 minions").getByText("lab-[00001-10000]").waitFor({ timeout: 60_000 });
  await session.screenshots("results-10000");
  await results.arrange("By minion");
  await workbench.closeEditors();
  await workbench.page.waitForTimeout(1_000);
  await workbench.palette("Func: Show Results...");
  await workbench.pick(/lab-\*/);
  await results.row("lab-00001").waitFor();
  await recordFigures("opened");
  await scroll();
  writeFileSync(
    join(EVIDENCE, "results-10000-host.json"),
    JSON.stringify(await endHostProfile(workbench, scratch), undefined, 1),
  );
  await results.document.locator(".viewport").focus();
  await results.row("lab-00001").locator("button").focus();
  await workbench.page.keyboard.press("End");
  await results.row("lab-10000").waitFor();
  await workbench.page.keyboard.press("Space");
  await results.document.getByRole("button", { name: "Time", exact: true }).click();
  await results.filter.fill("host:lab-*00");
  await results.document.getByText("1 selected", { exact: true }).waitFor();
  await workbench.reload();
  await workbench.openContainer("Func");
  await results.document.getByText("1 selected", { exact: true }).waitFor({ timeout: 60_000 });
  expect(await results.filter.inputValue()).toBe("host:lab-*00");
  const sorted = results.document.getByRole("columnheader", { name: /Time/ });
  expect(await sorted.getAttribute("aria-sort")).toBe("ascending");
  await recordFigures("restored");
});

test("the page kept to its content security policy", () => {
  expect(session.policyViolations()).toEqual([]);
});

/** How fast the page with 10,000 results came: for people to read, not to be asserted. */
async function recordFigures(name: string): Promise<void> {
  const figures = await results.document.locator("body").evaluate(async () => {
    const tasks = await new Promise<PerformanceEntryList>((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries())).observe({
        type: "longtask",
        buffered: true,
      });
      setTimeout(() => resolve([]), 500);
    });
    const [rows] = performance.getEntriesByName("func-first-rows");
    const at = (ms: number): number => Math.round(ms);
    return {
      firstRowsMs: at(rows?.startTime ?? -1),
      paintsMs: performance.getEntriesByType("paint").map(({ startTime }) => at(startTime)),
      longTasks: tasks.map(({ startTime, duration }) => ({ at: at(startTime), ms: at(duration) })),
      elements: document.querySelectorAll("*").length,
    };
  });
  writeFileSync(
    join(EVIDENCE, `results-10000-${name}.json`),
    JSON.stringify(figures, undefined, 1),
  );
}

/** Scrolls through all rows; how long each picture took. */
async function scroll(): Promise<void> {
  const figures = await results.document.locator(".viewport").evaluate(async (viewport) => {
    const frames: number[] = [];
    let last = performance.now();
    for (let step = 1; step <= 120; step++) {
      viewport.scrollTop = (viewport.scrollHeight * step) / 120;
      await new Promise(requestAnimationFrame);
      frames.push(performance.now() - last);
      last = performance.now();
    }
    viewport.scrollTop = 0;
    frames.sort((a, b) => a - b);
    const at = (part: number): number => Math.round(frames[Math.floor(part * 119)] ?? -1);
    const memory = (performance as { memory?: { usedJSHeapSize: number } }).memory;
    return {
      frameMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
      pageHeapMB: Math.round((memory?.usedJSHeapSize ?? 0) / 1e6),
    };
  });
  writeFileSync(join(EVIDENCE, "results-10000-scroll.json"), JSON.stringify(figures, undefined, 1));
}

interface Exported {
  minion: string;
  exitStatus?: number;
  error?: { message: string };
}

/** One minion says something else than the others, one fails, and three are switched off. */
async function runMixed(name: string): Promise<void> {
  const mark = join(scratch, name);
  await run(
    MIXED,
    `if mkdir ${mark}1 2>/dev/null; then echo nginx version: nginx/1.24.0; ` +
      `elif mkdir ${mark}2 2>/dev/null; then echo sh: 1: nginx: not found >&2; exit 127; ` +
      `else echo nginx version: nginx/1.26.2; fi`,
  );
  await results.button("Call Again").first().waitFor();
}

/** `confirmed`: the number of minions that VS Code asks about. */
async function run(targets: string, command: string, confirmed?: string): Promise<void> {
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type(targets);
  await workbench.typeCommand(command);
  if (confirmed !== undefined) {
    await workbench.dialog.getByRole("button", { name: "Call", exact: true }).click();
  }
  await workbench.editorTab(/^Results:/).waitFor();
}

function clipboard(): Promise<string> {
  return workbench.page.evaluate(() => navigator.clipboard.readText());
}
