import { hostname } from "node:os";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { overlordPid } from "./harness/fleet";
import { isAlive, killQuietly, processesWith, waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const MINIONS = ["minion1", "minion2", "minion3", "minion4", "minion5"];

let session: Session;
let workbench: Workbench;
let results: ResultsPage;

beforeAll(async () => {
  session = await startSession(MINIONS.length);
  workbench = session.workbench;
  results = new ResultsPage(workbench);
  await workbench.openContainer("Func");
});
afterAll(() => session.stop());
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("the tree shows the fleet and that every minion answers", async () => {
  await fleetIsOnline();
  await session.screenshots("tree");
});

test("a method is called from the palette with arguments asked one by one", async () => {
  await workbench.palette("Func: Call Module Method...");
  await workbench.step(1);
  await session.screenshots("targets");
  await workbench.type("minion1;minion3");
  await workbench.step(2);
  await workbench.pick(/^test\b/);
  await workbench.step(3);
  await session.screenshots("methods");
  await workbench.pick(/^add\b/);
  await workbench.step(4);
  await workbench.type("over");
  await workbench.step(5);
  await session.screenshots("argument");
  await workbench.type("lord");
  await workbench.editorTab(/^Results:/).waitFor();
  const rows = await results.allRows(2, "overlord");
  expect(rows[0]).toContain("minion1");
  expect(rows[1]).toContain("minion3");
});

test("a command runs on just the two minions that are selected", async () => {
  await workbench.select("Minions", ["minion2", "minion4"]);
  const entry = await workbench.openMenu("Minions", "minion4", "Run Command...");
  await session.screenshots("context-menu");
  await entry.click();
  await workbench.typeCommand("echo hello from $(hostname)");
  const rows = await results.allRows(2, `hello from ${hostname()}`);
  expect(rows[0]).toContain("minion2");
  expect(rows[1]).toContain("minion4");
  await results.row("minion2").click();
  await session.screenshots("results");
  expect(await session.accessibilityProblems(results.document)).toEqual([]);
});

test("a run is cancelled, and nothing of it goes on on the minions", async () => {
  const command = longCommand();
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type("*");
  await workbench.typeCommand(command);
  await waitUntil("the sleeps", () => processesWith(command).length >= MINIONS.length);
  await session.screenshots("running");
  await results.button("Cancel").click();
  await results.allRows(MINIONS.length, /cancelled/i);
  await waitUntil("the sleeps' end", () => processesWith(command).length === 0);
  await session.screenshots("cancelled");
});

test("the loss of the overlord is told, its job goes on, and the next call works", async () => {
  const command = longCommand();
  await workbench.select("Minions", ["minion1"]);
  await workbench.context("Minions", "minion1", "Run Command...");
  await workbench.typeCommand(command);
  await waitUntil("the sleep", () => processesWith(command).length > 0);
  await results.allRows(1, "running");
  const lost = overlordPid(session.home);
  if (lost === undefined) throw new Error("no overlord runs");
  process.kill(lost, "SIGKILL");
  await workbench.notification("stopped unexpectedly").waitFor();
  await session.screenshots("overlord-lost");
  const successor = await waitUntil("a new overlord", () => {
    const pid = overlordPid(session.home);
    return pid !== lost && pid !== undefined && isAlive(pid) ? pid : undefined;
  });
  expect(successor).not.toBe(lost);
  await fleetIsOnline();
  await results.allRows(1, "running");
  // its runner, too, has the command among its arguments
  for (const pid of processesWith(command)) killQuietly(pid, "SIGKILL");
  await results.allRows(1, /failed|lost/);
  await workbench.closeEditors();
  await workbench.context("Minions", "minion1", "Run Command...");
  await workbench.typeCommand("echo again");
  await results.allRows(1, "again");
});

test("a reload of the window brings the results back", async () => {
  await workbench.select("Minions", ["minion3", "minion5"]);
  await workbench.context("Minions", "minion5", "Run Command...");
  await workbench.typeCommand("echo kept");
  await results.allRows(2, "kept");
  await workbench.reload();
  await workbench.openContainer("Func");
  await results.allRows(2, "kept");
  await fleetIsOnline();
});

test("the pages kept to their content security policy", () => {
  expect(session.policyViolations()).toEqual([]);
});

/** Found among the machine's processes, and no other run's. */
function longCommand(): string {
  return `sleep 60.${process.pid}${Date.now()}`;
}

async function fleetIsOnline(): Promise<void> {
  await workbench.row("Minions", "minion1").waitFor({ timeout: 60_000 });
  await waitUntil("five minions that are online", async () => {
    const rows = await workbench.rows("Minions");
    const online = rows.filter(({ description }) => description.startsWith("online"));
    return online.map(({ label }) => label).join() === MINIONS.join();
  });
}
