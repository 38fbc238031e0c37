import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { problemsInPart } from "./harness/accessibility";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const VIEW = "Jobs";
const MINIONS = 4;

let session: Session;
let workbench: Workbench;
let results: ResultsPage;

beforeAll(async () => {
  session = await startSession(MINIONS);
  workbench = session.workbench;
  results = new ResultsPage(workbench);
  await workbench.openContainer("Func");
});
afterAll(async () => {
  await session.stop();
});
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("without jobs the view says what they are", async () => {
  const welcome = workbench.page
    .locator(".part.sidebar .welcome-view")
    .filter({ hasText: "No jobs yet" });
  await welcome.waitFor({ timeout: 60_000 });
  await welcome.getByRole("button", { name: "Run Command..." }).waitFor();
  await session.screenshots("jobs-none");
});

test("a job shows with its progress and a badge while it runs, then among today's", async () => {
  await run("*", "case $HOME in *minion1*) exit 3;; esac; sleep 3");
  const row = workbench.row(VIEW, /sleep/);
  await row.waitFor();
  await workbench.row(VIEW, "Running").waitFor();
  await session.screenshots("jobs-running");
  await workbench.row(VIEW, "Today").waitFor();
  await workbench.row(VIEW, "Running").waitFor({ state: "detached" });
  await session.screenshots("jobs-finished");
});

test("a click opens the results", async () => {
  await workbench.row(VIEW, /sleep/).locator(".label-name").click();
  await workbench.editorTab(/^Results:/).waitFor();
  expect(await results.allRows(MINIONS, /exit/)).toHaveLength(MINIONS);
});

test("the view is accessible", async () => {
  const tree = '[role="tree"][aria-label^="Jobs"]';
  expect(await problemsInPart(workbench.page, tree)).toEqual([]);
});

/** Runs a command line on minions; its results are in front then. */
async function run(targets: string, command: string): Promise<void> {
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type(targets);
  await workbench.typeCommand(command);
  await workbench.editorTab(/^Results:/).waitFor();
}
