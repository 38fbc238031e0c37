import { afterAll, beforeAll, beforeEach, test } from "vitest";
import { waitUntil } from "./harness/processes";
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
  await waitUntil(
    "three minions that are online",
    async () => {
      const rows = await workbench.rows("Minions");
      const online = rows.filter(({ description }) => description.startsWith("online"));
      return online.map(({ label }) => label).join() === "try-1,try-2,try-3";
    },
    60_000,
  );
});
