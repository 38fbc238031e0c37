import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Session, startSession } from "./harness/session";

let session: Session;

beforeAll(async () => {
  session = await startSession(0);
});
afterAll(() => session.stop());
beforeEach(({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
});

test("without minions the view says how to get some, and does it", async () => {
  const { workbench } = session;
  await workbench.openContainer("Func");
  const welcome = workbench.page.locator(".part.sidebar .welcome-view");
  const tryIt = welcome.getByRole("button", { name: /three local minions/i });
  await tryIt.waitFor({ timeout: 60_000 });
  await session.screenshots("welcome");
  await tryIt.click();
  await workbench.row("Minions", "try-1").waitFor({ timeout: 60_000 });
  const labels = (await workbench.rows("Minions")).map(({ label }) => label);
  expect(labels).toEqual(["try-1", "try-2", "try-3"]);
});
