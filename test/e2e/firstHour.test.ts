import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession, VIEWPORT } from "./harness/session";
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
  await workbench.row("Minions", "minion1").waitFor({ timeout: 60_000 });
});
afterAll(() => session.stop());
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("the view shows the minions", async () => {
  await waitUntil("five minions that are online", async () => {
    const rows = await workbench.rows("Minions");
    return rows.filter(({ description }) => description.startsWith("online")).length === 5;
  });
  await session.picture("tree", workbench.page.locator(SIDEBAR), 190);
});

test("selected minions are added to a new group, and the group is called", async () => {
  await workbench.select("Minions", ["minion2", "minion4"]);
  await workbench.context("Minions", "minion4", "Add to Group...");
  await workbench.quickText.fill("web");
  await workbench.quickInput.getByRole("option", { name: "New group web" }).waitFor();
  await session.screenshots("group-name");
  await workbench.quickText.press("Enter");
  await openGroup("web");
  await waitUntil("the group's members", async () => {
    const rows = await workbench.rows("Minions");
    return (
      rows
        .filter(({ level }) => level === 3)
        .map(({ label }) => label)
        .join() === "minion2,minion4"
    );
  });
  await session.screenshots("tree-groups");
  await session.picture("groups", workbench.page.locator(SIDEBAR), 260);
  await workbench.context("Minions", "web", "Ping");
  await workbench.editorTab(/^Results:.*@web/).waitFor();
  const rows = await results.allRows(2, /succeeded|true|1/i);
  expect(rows[0]).toContain("minion2");
  expect(rows[1]).toContain("minion4");
});

test("a minion that is dragged onto a group belongs to it, and can be taken out again", async () => {
  await workbench.row("Minions", "minion5").dragTo(workbench.row("Minions", "web"));
  await waitUntil("the dropped minion", () => hostsOf("web").includes("minion5"));
  await waitUntil("three members", async () => (await members()).length === 3);
  const inGroup = workbench.tree("Minions").locator('[aria-level="3"]', { hasText: "minion5" });
  await inGroup.click({ button: "right" });
  await menuEntry("Remove from Group");
  await waitUntil("its removal", () => !hostsOf("web").includes("minion5"));
  await waitUntil("two members", async () => (await members()).length === 2);
});

test("a damaged file of groups is told in the tree, and opens", async () => {
  const file = join(session.home, "groups");
  const good = readFileSync(file, "utf8");
  writeFileSync(file, `${good}nonsense\n`);
  await workbench.palette("Func: Refresh Minions");
  const problem = workbench.tree("Minions").getByRole("treeitem", { name: /expected \[GROUP\]/ });
  await problem.waitFor();
  await session.screenshots("groups-damaged");
  await problem.click();
  await workbench.editorTab("groups").waitFor();
  writeFileSync(file, good);
  await workbench.palette("Func: Refresh Minions");
  await workbench.row("Minions", "web").waitFor();
});

test("minions are left out with a button of the target box", async () => {
  await workbench.palette("Func: Ping");
  await workbench.quickText.fill("minion*");
  await workbench.quickInput.getByText("5 minions").waitFor();
  await session.screenshots("targets-all");
  await workbench.quickInput.getByRole("button", { name: "Leave Out Minions..." }).click();
  await workbench.quickInput.getByText("which minions to leave out").waitFor();
  await workbench.quickText.fill("@web");
  await workbench.quickInput.getByText("Leaves out 2 of 5 minions").waitFor();
  await session.screenshots("targets-leave-out");
  await workbench.quickText.press("Enter");
  await workbench.quickInput.getByText("3 minions (2 left out)").waitFor();
  await session.screenshots("targets-left-out");
  await workbench.page.mouse.move(900, 700); // away from the button, whose tooltip hides it
  await session.picture("targets", workbench.quickInput);
  await workbench.quickText.press("Enter");
  const rows = await results.allRows(3, /minion/);
  expect(rows.map((row) => /minion\d/.exec(row)?.[0])).toEqual(["minion1", "minion3", "minion5"]);
});

test("a command's results fill a page", async () => {
  await workbench.page.setViewportSize({ width: 1000, height: 900 });
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type("*");
  await workbench.typeCommand("uname -sr");
  await results.button("By output").click();
  await results.document.getByText("5 minions").first().waitFor();
  await session.picture("results", workbench.page.locator(".part.editor"), 340);
  await workbench.page.setViewportSize(VIEWPORT);
});

test("a call is made again after a reload, and changed before it is made", async () => {
  await workbench.palette("Func: Run Command...");
  await workbench.step(1);
  await workbench.type("minion1;minion3");
  await workbench.typeCommand("echo first words");
  await results.allRows(2, "first words");
  await workbench.closeEditors();
  await workbench.reload();
  await workbench.openContainer("Func");
  await workbench.row("Minions", "minion1").waitFor();
  await workbench.palette("Func: Call Again...");
  await workbench.quickInput.getByRole("option", { name: /echo first words/ }).waitFor();
  await session.screenshots("call-again");
  await workbench.pick(/echo first words/);
  await results.allRows(2, "first words");
  await workbench.closeEditors();

  await workbench.palette("Func: Call Last Again");
  await results.allRows(2, "first words");
  await workbench.closeEditors();

  await workbench.palette("Func: Call Again...");
  const entry = workbench.quickInput.getByRole("option", { name: /echo first words/ });
  await entry.hover();
  await entry.getByRole("button", { name: "Change It First..." }).click();
  await workbench.step(1);
  expect(await workbench.quickText.inputValue()).toBe("minion1;minion3");
  await workbench.type("minion2");
  await workbench.step(2);
  expect(await workbench.quickText.inputValue()).toBe("echo first words");
  await workbench.quickText.fill("echo other words");
  await workbench.quickText.press("Enter");
  await results.allRows(1, "other words");
});

test("the command line is installed and works in a shell without any Node", async () => {
  await workbench.palette("Func: Install Command Line");
  await workbench.notification("have the command func").waitFor();
  await session.screenshots("command-line-installed");
  await workbench.clearNotifications();
  const folder = join(session.userFolder, "globalStorage", "func-overlord.func-overlord", "bin");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const printed = execFileSync(join(folder, "func"), ["*", "ping"], { env: { PATH: "/nowhere" } });
  for (const minion of MINIONS) expect(printed.toString()).toContain(minion);
});

test("a new terminal has the command line", async () => {
  if (!session.hasTerminals) return; // the oldest version's are not shipped ready to run
  await workbench.palette("Terminal: Create New Terminal");
  // the mark of a prompt, which the shell integration sets
  const marks = workbench.page.locator(".terminal-wrapper.active .terminal-command-decoration");
  await marks.first().waitFor();
  const answer = join(session.home, "answer.txt");
  await workbench.page.keyboard.type(`func "*" ping > ${answer}; echo "status $?" >> ${answer}\n`);
  const printed = await waitUntil("func's answer", () => readQuietly(answer, "status"));
  for (const minion of MINIONS) expect(printed).toContain(minion);
  expect(printed).toContain("status 0");
  await workbench.page.keyboard.type(`PS1='$ '; clear\n`);
  await waitUntil("the cleared terminal", async () => (await marks.count()) === 1);
  await workbench.page.keyboard.type(`func "*" ping\n`);
  await waitUntil("the last prompt", async () => (await marks.count()) >= 2);
  await session.screenshots("terminal");
  await workbench.page.setViewportSize({ width: 960, height: 900 });
  await session.picture("terminal", workbench.page.locator(".part.panel"), 200);
  await workbench.page.setViewportSize(VIEWPORT);
  await workbench.palette("Terminal: Kill All Terminals");
});

test("a join token shows what to run on the host", async () => {
  await workbench.palette("Func: Create a Join Token...");
  await workbench.dialog.waitFor();
  await workbench.page.setViewportSize({ width: 800, height: 600 });
  await session.picture("token", workbench.dialog);
  await workbench.page.keyboard.press("Escape");
  await workbench.dialog.waitFor({ state: "detached" });
  await workbench.page.setViewportSize(VIEWPORT);
});

test("diagnostics name no minion", async () => {
  await workbench.palette("Func: Copy Diagnostics");
  await workbench.notification("diagnostics are in the clipboard").waitFor();
  const text = await workbench.page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain("Minions: 5 (5 online)");
  expect(text).toContain("overlord started");
  expect(text).not.toMatch(/minion[1-5]\b/);
  await session.screenshots("diagnostics");
  await workbench.page.keyboard.press("Control+1");
  await workbench.page.keyboard.press("Control+A");
  await workbench.page.keyboard.press("Delete");
});

test("the walkthrough opens, and its steps show their pictures", async () => {
  // a narrow editor shows no pictures
  await workbench.page.setViewportSize({ width: 1600, height: 900 });
  await workbench.palette("Func: Open Walkthrough");
  const walkthrough = workbench.page.locator(".gettingStartedContainer");
  await walkthrough.getByText("First Steps with Func").first().waitFor();
  for (const [index, title] of STEPS.entries()) {
    await walkthrough.locator(".step-title").getByText(title, { exact: true }).click();
    const picture = walkthrough.locator(".getting-started-media img").first();
    await picture.waitFor();
    await waitUntil(`the picture of ${title}`, () =>
      picture.evaluate((image) => (image as HTMLImageElement).naturalWidth > 0),
    );
    await session.screenshots(`walkthrough-${index + 1}`);
  }
  await workbench.palette("Func: Call Again...");
  await workbench.quickInput.getByRole("option").first().waitFor();
  await workbench.page.keyboard.press("Escape");
  // the step whose button does the same is done
  await walkthrough.locator(".step-list-container .codicon-getting-started-step-checked").waitFor();
  await workbench.page.setViewportSize(VIEWPORT);
});

const SIDEBAR = ".part.sidebar";

const STEPS = [
  "Try it on this machine",
  "Call a method, or run a command",
  "Read the results",
  "Name your minions once",
  "Use it from the terminal",
  "Let a real host join",
];

async function openGroup(name: string): Promise<void> {
  for (const label of ["Groups", name]) {
    const row = workbench.row("Minions", label);
    await row.waitFor();
    if ((await row.getAttribute("aria-expanded")) !== "true")
      await row.locator(".label-name").click();
    await waitUntil(
      `${label} opened`,
      async () => (await row.getAttribute("aria-expanded")) === "true",
    );
  }
}

async function members(): Promise<string[]> {
  const rows = await workbench.rows("Minions");
  return rows.filter(({ level }) => level === 3).map(({ label }) => label);
}

async function menuEntry(command: string): Promise<void> {
  const entry = workbench.page.getByRole("menuitem", { name: command, exact: true });
  await entry.waitFor();
  await workbench.page.waitForTimeout(300); // an earlier click would only highlight it
  await entry.click();
}

/** The entries of a group as its file has them. */
function hostsOf(group: string): string[] {
  const [, hosts = ""] =
    new RegExp(`\\[${group}\\]\\nhost = (.*)`).exec(
      readFileSync(join(session.home, "groups"), "utf8"),
    ) ?? [];
  return hosts.split(", ");
}

function readQuietly(file: string, until: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    return text.includes(until) ? text : undefined;
  } catch {
    return undefined;
  }
}
