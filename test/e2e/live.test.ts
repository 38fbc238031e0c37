import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addAbsentMinions } from "./harness/absentMinions";
import { overlordPid } from "./harness/fleet";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const MINIONS = 3;
const ABSENT = "lab-1";

let session: Session;
let workbench: Workbench;
let results: ResultsPage;
/** Files by which commands wait for the test. */
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "fl-"));
  session = await startSession(MINIONS, (home) => addAbsentMinions(home, [ABSENT]));
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
});

test("lines show as commands write them, and a filter keeps some", async () => {
  const progress = "echo 'Progress report 2/5 completed'";
  await run(
    "minion*",
    `echo first line; echo oops >&2; ${waitFor("second")}; echo second line; ${progress}; ${waitFor("end")}`,
  );
  await results.document.getByRole("button", { name: "Live", exact: true }).click();
  await lines("first line", MINIONS);
  await lines("oops", MINIONS);
  expect(await lineCount("second line")).toBe(0);
  release("second");
  await lines("second line", MINIONS);
  await session.screenshots("results-live");
  expect(await session.accessibilityProblems(results.document)).toEqual([]);
  await results.filter.fill("minion2");
  await lines("second line", 1);
  await results.filter.fill("");
});

test("progress shows as a bar in the list", async () => {
  await results.arrange("By minion");
  await results.row("minion1").getByText("2 of 5").waitFor();
  await session.screenshots("results-progress");
});

test("an overlord that is killed costs no line, and none comes twice", async () => {
  await results.document.getByRole("button", { name: "Live", exact: true }).click();
  await lines("second line", MINIONS);
  const pid = overlordPid(session.home);
  if (pid === undefined) throw new Error("no overlord runs");
  process.kill(pid, "SIGKILL");
  release("end");
  await results.button("Call Again").waitFor({ timeout: 60_000 });
  await lines("Progress report", MINIONS);
  await lines("first line", MINIONS);
  await results.allRows(MINIONS, "exit 0");
});

test("the time slider shows the job as it stood", async () => {
  const slow = join(scratch, "slow");
  await run("*", `if mkdir ${slow} 2>/dev/null; then sleep 3; else sleep 1; fi`);
  await results.button("Call Again").first().waitFor({ timeout: 60_000 });
  await results.arrange("By minion");
  await results.button("Replay").click();
  const slider = results.document.getByRole("slider", { name: "Time" });
  await slider.waitFor();
  await slider.focus();
  await workbench.page.keyboard.press("Home");
  await waitUntil("nobody called yet", async () => (await withText("waiting")) >= MINIONS);
  for (let step = 0; step < 12 && (await withText("exit 0")) === 0; step++) {
    await workbench.page.keyboard.press("PageUp");
  }
  await waitUntil("some done", async () => {
    const done = await withText("exit 0");
    return done > 0 && done < MINIONS && (await withText("running")) > 0;
  });
  await session.screenshots("results-replay");
  expect(await session.accessibilityProblems(results.document)).toEqual([]);
  await results.button("Back to Now").click();
  await results.allRows(MINIONS + 1, /exit 0|unreachable/);
});

test("options are chosen before the call: in steps, with a limit of errors", async () => {
  await workbench.palette("Func: Run Command with Options...");
  await workbench.step(1);
  await workbench.type("*");
  await workbench.typeCommand("exit 3");
  await option(/^In steps of/, "How many minions at a time", "1");
  await option(/^Stop beyond errors/, "How many minions may fail", "1");
  await session.screenshots("call-options");
  await workbench.pick(/^Call/);
  await results.document.getByText("in steps of 1").waitFor();
  await results.button("Call Again").waitFor({ timeout: 60_000 });
  await results.arrange("By minion");
  await waitUntil("the skipped ones", async () => (await withText("skipped")) >= 1);
  expect(await withText("exit 3")).toBeLessThanOrEqual(2);
  await session.screenshots("results-skipped");
});

test("the pages kept to their content security policy", () => {
  expect(session.policyViolations()).toEqual([]);
});

/** Chooses one of the call's options, and answers what it asks. */
async function option(label: RegExp, question: string, answer: string): Promise<void> {
  await workbench.pick(label);
  await workbench.quickInput.getByText(question).waitFor();
  await workbench.type(answer);
  await workbench.quickInput.getByText(question).waitFor({ state: "detached" });
}

async function run(targets: string, command: string): Promise<void> {
  await workbench.closeEditors();
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type(targets);
  await workbench.typeCommand(command);
  await workbench.editorTab(/^Results:/).waitFor();
}

function waitFor(name: string): string {
  return `until [ -e ${join(scratch, name)} ]; do sleep 0.2; done`;
}

function release(name: string): void {
  writeFileSync(join(scratch, name), "");
}

function lineCount(text: string): Promise<number> {
  return results.document.locator(".line").filter({ hasText: text }).count();
}

async function lines(text: string, count: number): Promise<void> {
  await waitUntil(`${count} lines "${text}"`, async () => (await lineCount(text)) === count);
}

function withText(text: string): Promise<number> {
  return results.rows.filter({ hasText: text }).count();
}
