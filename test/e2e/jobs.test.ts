import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addAbsentMinions } from "./harness/absentMinions";
import { problemsInPart } from "./harness/accessibility";
import { overlordPid } from "./harness/fleet";
import { EVIDENCE } from "./harness/paths";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const VIEW = "Jobs";
const MINIONS = 4;
const ABSENT = "lab-1";

let session: Session;
let workbench: Workbench;
let results: ResultsPage;
/** Files by which commands wait for the test, and where exports go. */
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "fj-"));
  session = await startSession(MINIONS, (home) => addAbsentMinions(home, [ABSENT]));
  workbench = session.workbench;
  results = new ResultsPage(workbench);
  await workbench.openContainer("Func");
  await workbench.unfold(VIEW);
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

test("without jobs the view says what they are, and pings of the tree are none", async () => {
  const welcome = workbench.page
    .locator(".part.sidebar .welcome-view")
    .filter({ hasText: "No jobs yet" });
  await welcome.waitFor({ timeout: 60_000 });
  await welcome.getByRole("button", { name: "Run Command..." }).waitFor();
  await session.screenshots("jobs-none");
});

test("a job shows its progress and a badge while it runs, and then stands among today's", async () => {
  const one = join(scratch, "one");
  await run("*", `echo progress; if mkdir ${one} 2>/dev/null; then ${waitFor("progress")}; fi`);
  const row = job("progress");
  await row.waitFor();
  await workbench.row(VIEW, "Running").waitFor();
  await waitUntil("its progress", async () => (await said(row)).includes("1 unreachable"));
  await waitUntil("the badge", async () => {
    return (await workbench.badge("Func").textContent()) === "1";
  });
  await waitUntil("the others", async () => (await said(row)).includes("3 succeeded"));
  await workbench.clearNotifications();
  await session.screenshots("jobs-running");
  release("progress");
  await workbench.row(VIEW, "Today").waitFor();
  await workbench.row(VIEW, "Running").waitFor({ state: "detached" });
  expect(await said(row)).toContain("finished: 4 succeeded, 1 unreachable");
  await waitUntil("no badge", async () => !(await workbench.badge("Func").isVisible()));
});

test("a click opens the results, which are exported from the view as well", async () => {
  await job("progress").locator(".label-name").click();
  await workbench.editorTab(/^Results:/).waitFor();
  await results.allRows(MINIONS + 1, /exit 0|unreachable/);
  await workbench.closeEditors();
  await choose("progress", "Export Results...");
  await workbench.pick(/^CSV/);
  const file = join(scratch, "jobs.csv");
  await workbench.saveAs(file);
  await workbench.notification("were written").waitFor();
  expect(readFileSync(file, "utf8").trim().split("\r\n")).toHaveLength(MINIONS + 2);
  await workbench.clearNotifications();
});

test("a job is run again, and on other minions", async () => {
  await run("minion1", `echo again in ${scratch}`);
  await finished("again in");
  await choose("again in", "Run Again");
  await waitUntil("the second run", async () => (await job("again in").count()) === 2);
  await workbench.closeEditors();
  await choose("again in", "Run Again On...");
  await workbench.quickInput.getByText("1 minion: minion1").first().waitFor();
  await session.screenshots("jobs-run-again-on");
  await workbench.type("minion2;minion3");
  await waitUntil("the third run", async () => (await job("again in").count()) === 3);
  await results.allRows(2, /exit 0/);
});

test("two runs of a method are compared minion by minion", async () => {
  await run("minion*", "echo release 1; echo same");
  await finished("release 1");
  await run("minion*", "echo release 2; echo same");
  await finished("release 2");
  await choose("release 1", "Compare Two Runs...");
  await workbench.pick(/release 2/);
  await workbench.page.locator(".monaco-diff-editor").first().waitFor();
  const shown = workbench.page.locator(".monaco-diff-editor");
  await shown.getByText("release 1").first().waitFor();
  await shown.getByText("release 2").first().waitFor();
  await session.screenshots("jobs-compare-runs");
});

test("what failed is retried in the same job, after a question", async () => {
  const row = job("progress");
  await row.hover();
  await row.getByRole("button", { name: "Retry Failed..." }).click();
  await workbench.dialog.getByText("Call command.run again on 1 minion?").waitFor();
  await session.screenshots("jobs-retry");
  await workbench.dialog.getByRole("button", { name: "Retry", exact: true }).click();
  await results.document.getByText("attempt 2").first().waitFor();
  await finished("progress");
  expect(await said(row)).toContain("4 succeeded, 1 unreachable");
});

test("what a running command writes is followed, also over the loss of the overlord", async () => {
  if (!session.hasTerminals) return; // the oldest version's are not shipped ready to run
  await run("minion1;minion2", `echo first; ${waitFor("follow")}; echo last >&2`);
  await choose("first", "Follow Output");
  const terminal = workbench.page.locator(".terminal-wrapper.active");
  const line = (text: string) => terminal.locator(".xterm-rows > div").filter({ hasText: text });
  await line("minion1 | first").waitFor();
  await line("minion2 | first").waitFor();
  const pid = overlordPid(session.home);
  if (pid === undefined) throw new Error("no overlord runs");
  process.kill(pid, "SIGKILL");
  await workbench.notification("was started again").waitFor();
  await waitUntil("the job after the restart", async () =>
    (await said(job("first"))).includes("2 running"),
  );
  await workbench.clearNotifications();
  release("follow");
  await line("minion2 ! last").waitFor();
  await line("The job has finished: 2 succeeded.").waitFor();
  expect(await line("minion1 | first").count()).toBe(1);
  await session.screenshots("jobs-follow");
  await terminal.click();
  await workbench.page.keyboard.press("Enter");
  await terminal.waitFor({ state: "detached" });
});

test("the view is narrowed, and says so", async () => {
  await workbench.palette("Func: Filter Jobs...");
  await workbench.quickInput.getByRole("option", { name: /With problems/ }).waitFor();
  await session.screenshots("jobs-filter");
  await workbench.pick(/With problems/);
  await workbench.tree(VIEW).waitFor();
  const message = workbench.page.locator(".part.sidebar .message", { hasText: "Filtered:" });
  await message.getByText("Filtered: with problems").waitFor();
  await waitUntil("the one job with problems", async () => (await jobs()).length === 1);
  await session.screenshots("jobs-filtered");
  await workbench.palette("Func: Filter Jobs...");
  await workbench.pick(/With a text/);
  await workbench.quickInput.getByText("Jobs with which text?").waitFor();
  await workbench.type("no such text");
  await message.getByText("No job fits.").waitFor();
  await workbench.palette("Func: Show All Jobs");
  await message.waitFor({ state: "detached" });
  await waitUntil("all jobs", async () => (await jobs()).length > 3);
});

test("outputs of all jobs are searched, and a find is opened at its place", async () => {
  await workbench.palette("Func: Search Jobs' Outputs...");
  await workbench.type("RELEASE 2");
  const found = workbench.quickInput.getByRole("option", { name: /minion3: release 2/ });
  await found.waitFor();
  await waitUntil("the end of the search", async () =>
    ((await workbench.quickText.getAttribute("placeholder")) ?? "").includes("4 found in"),
  );
  await session.screenshots("jobs-search");
  await found.click();
  await workbench.editorTab(/minion3/).waitFor();
  await workbench.page.locator(".selected-text").first().waitFor();
});

test("a job's menu copies its id, by which the command line knows it", async () => {
  await choose("release 1", "Copy Job ID");
  await waitUntil("the id", async () => /^\S{8,}$/.test(await clipboard()));
});

test("jobs are looked at with all that is known of them", async () => {
  await job("progress").locator(".label-name").hover();
  const hover = workbench.page.locator(".monaco-hover, .workbench-hover").last();
  await hover.getByText("Attempts").waitFor();
  await workbench.page.screenshot({ caret: "initial", path: join(EVIDENCE, "jobs-tooltip.png") });
  await workbench.page.mouse.move(900, 500);
  const tree = '[role="tree"][aria-label^="Jobs"]';
  expect(await problemsInPart(workbench.page, tree)).toEqual([]);
  await highContrast("jobs-contrast");
});

test("jobs are deleted after a question, a day's when their number is typed or confirmed", async () => {
  await choose("release 1", "Delete Jobs...");
  await workbench.dialog.getByText("Delete the job command.run").waitFor();
  await session.screenshots("jobs-delete");
  await workbench.dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await job("release 1").waitFor({ state: "detached" });
  // shortly after midnight there are two
  const days = (await workbench.rows(VIEW)).filter(({ level }) => level === 1);
  for (const { label } of days) {
    await workbench.context(VIEW, label, "Delete Jobs...");
    await workbench.dialog.getByText(/Delete (?:the job|\d+ jobs)/).waitFor();
    await workbench.dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await workbench.row(VIEW, label).waitFor({ state: "detached" });
  }
  await workbench.page
    .locator(".part.sidebar .welcome-view")
    .filter({ hasText: "No jobs yet" })
    .waitFor();
});

test("the pages kept to their content security policy", () => {
  expect(session.policyViolations()).toEqual([]);
});

/** Runs a command line on minions; its results are in front then. */
async function run(targets: string, command: string): Promise<void> {
  await workbench.closeEditors();
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type(targets);
  await workbench.typeCommand(command);
  await workbench.editorTab(/^Results:/).waitFor();
}

/** A command that waits until the test lets it go. */
function waitFor(name: string): string {
  return `until [ -e ${join(scratch, name)} ]; do sleep 0.2; done`;
}

function release(name: string): void {
  writeFileSync(join(scratch, name), "");
}

/** Rows of jobs whose whole call has this text. */
function job(text: string): Locator {
  return workbench.tree(VIEW).locator(`[role="treeitem"][aria-label*="${text}"]`);
}

async function said(row: Locator): Promise<string> {
  return (await row.first().getAttribute("aria-label")) ?? "";
}

async function jobs(): Promise<string[]> {
  const rows = await workbench.rows(VIEW);
  return rows.filter(({ level }) => level > 1).map(({ label }) => label);
}

async function finished(text: string): Promise<void> {
  await waitUntil("its end", async () => (await said(job(text))).includes("finished:"));
}

/** Chooses an entry of the context menu of the newest job with this text. */
async function choose(text: string, command: string): Promise<void> {
  const name = job(text).first().locator(".label-name");
  await workbench.settled(name);
  await name.click({ button: "right" });
  await workbench.chooseFromMenu(command);
}

function clipboard(): Promise<string> {
  return workbench.page.evaluate(() => navigator.clipboard.readText());
}

/** What the page shows to those who need high contrast. */
async function highContrast(name: string): Promise<void> {
  const { page } = workbench;
  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  await page.locator(".monaco-workbench.hc-black").waitFor();
  await page.screenshot({ caret: "initial", path: join(EVIDENCE, `${name}.png`) });
  await page.emulateMedia({ forcedColors: "none", colorScheme: "dark" });
  await page.locator(".monaco-workbench.vs-dark").waitFor();
}
