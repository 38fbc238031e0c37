import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { problemsInPart } from "./harness/accessibility";
import { overlordPid } from "./harness/fleet";
import { type HostRun, runFuncd } from "./harness/host";
import { ROOT } from "./harness/paths";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const VIEW = "Certificates";
const DAY_MS = 24 * 60 * 60 * 1000;

let session: Session;
let workbench: Workbench;
let results: ResultsPage;
/** Where the host under test keeps its files. */
let host: string;
const runs: HostRun[] = [];
/** What VS Code says that a host is to run, and where this one listens. */
let askArguments: string[] = [];

beforeAll(async () => {
  host = mkdtempSync(join(tmpdir(), "fd-"));
  session = await startSession(0);
  workbench = session.workbench;
  results = new ResultsPage(workbench);
  await workbench.openContainer("Func");
  await workbench.unfold(VIEW);
});
afterAll(async () => {
  for (const run of runs) await run.stop();
  await session.stop();
  rmSync(host, { recursive: true, force: true });
});
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("without a CA the view says what one is, and makes none", async () => {
  const welcome = workbench.page
    .locator(".part.sidebar .welcome-view")
    .filter({ hasText: "There is no certificate authority yet" });
  await welcome.waitFor({ timeout: 60_000 });
  await welcome.getByRole("button", { name: "Add Host..." }).waitFor();
  await session.screenshots("certificates-none");
  expect(existsSync(join(session.home, "ca"))).toBe(false);
});

test("a host that asks waits with a badge and a notice, until its words are compared", async () => {
  await workbench.palette("Func: Allow Certificate Requests...");
  await workbench.pick("15 minutes");
  await workbench.dialog.getByText("funcd.js join --ask").waitFor();
  await session.screenshots("certificates-allowed");
  await workbench.dialog.getByRole("button", { name: "Copy Command" }).click();
  const command = await waitUntil("the command in the clipboard", async () => {
    const text = await workbench.page.evaluate(() => navigator.clipboard.readText());
    return text.startsWith("node funcd.js join --ask 127.0.0.1:") ? text : undefined;
  });
  const [, , ...args] = command.split(" ");
  askArguments = [...args, "--listen", "127.0.0.1:0", "--announce", "127.0.0.1"];
  const asking = run(host, [...askArguments, "--name", "asked1"]);
  const notice = workbench.notification(/asked1 asks for a certificate/);
  await notice.waitFor();
  await waitUntil("the badge", async () => {
    return (await workbench.badge("Func").textContent()) === "1";
  });
  await session.screenshots("certificates-waiting");
  await notice.getByRole("button", { name: "Review" }).click();
  const row = workbench.row(VIEW, "asked1");
  await waitUntil("the revealed row", async () => {
    return (await row.getAttribute("aria-selected")) === "true";
  });
  const words = /key of this host: +([a-z ]+)/.exec(asking.output())?.[1] ?? "";
  expect(words.split(" ")).toHaveLength(8);
  expect(await row.getAttribute("aria-label")).toContain(words);

  await action(row, "Approve Certificate Request...").click();
  await workbench.dialog.getByText(words).waitFor();
  await session.screenshots("certificates-approve");
  await workbench.dialog.getByRole("button", { name: /the same: approve/i }).click();
  expect(await asking.ended).toBe(0);
  await waitUntil("no badge", async () => !(await workbench.badge("Func").isVisible()));

  run(host, []);
  await waitUntil("the minion's answer", async () => {
    await workbench.palette("Func: Refresh Minions");
    const rows = await workbench.rows("Minions");
    return rows.some(({ label, description }) => {
      return label === "asked1" && description.startsWith("online");
    });
  });
  await workbench.clearNotifications();
  await session.screenshots("certificates-signed");
});

test("a request is denied, and its host told", async () => {
  const folder = join(host, "denied");
  const asking = run(folder, [...askArguments, "--name", "asked2"]);
  const row = workbench.row(VIEW, "asked2");
  await row.waitFor();
  await workbench.context(VIEW, "asked2", "Deny Certificate Request...");
  await workbench.dialog.getByRole("button", { name: "Deny" }).click();
  expect(await asking.ended).not.toBe(0);
  expect(asking.output()).toMatch(/denied/i);
  await row.waitFor({ state: "detached" });
});

test("a join token is shown with the time that is left, and closed", async () => {
  await workbench.palette("Func: Create a Join Token...");
  await workbench.dialog.getByText("funcd.js join").waitFor();
  await workbench.page.keyboard.press("Escape");
  const token = workbench.row(VIEW, "Any host");
  await token.waitFor();
  expect(await token.getAttribute("aria-label")).toContain("minutes left");
  await session.screenshots("certificates-token");
  await token.hover();
  await action(token, "Close Join Token").click();
  await token.waitFor({ state: "detached" });
});

test("a certificate is revoked when its name is typed, and its minion is refused", async () => {
  await workbench.context(VIEW, "asked1", "Revoke Certificate...");
  await workbench.step(1);
  await workbench.type("asked2");
  await workbench.quickInput.getByText("Type asked1").first().waitFor();
  await session.screenshots("certificates-revoke");
  await workbench.type("asked1");
  await workbench.step(2);
  await workbench.type("sold");
  await workbench.notification(/Revoked: asked1/).waitFor();
  const row = workbench.row(VIEW, "asked1");
  await open("Revoked");
  await waitUntil("the revoked row", async () => {
    return (await row.getAttribute("aria-label"))?.includes("revoked");
  });
  await session.screenshots("certificates-revoked");
  await workbench.palette("Func: Ping");
  await workbench.type("asked1");
  await results.allRows(1, /revoked/i);
});

test("the revocation list is exported for other tools", async () => {
  await workbench.palette("Func: Export Revocation List (CRL)...");
  const file = join(session.home, "fleet.crl");
  await workbench.saveAs(file);
  await workbench.notification("The revocation list was written").waitFor();
  const text = execFileSync("openssl", ["crl", "-in", file, "-noout", "-text"]).toString();
  expect(text.match(/Serial Number:/g)).toHaveLength(1);
});

test("what ends or has ended is in front, with icons of its own, and told once", async () => {
  loseOverlord();
  const file = join(session.home, "ca", "issued.json");
  const issued = JSON.parse(readFileSync(file, "utf8")) as {
    certificates: object[];
    sha256?: string;
  };
  delete issued.sha256; // of what it was
  issued.certificates.push(
    issuedTo("old9", "minion", -3),
    issuedTo("ann", "operator", 5),
    issuedTo("bob", "operator", 60),
    issuedTo("web1", "minion", 63),
  );
  writeFileSync(file, JSON.stringify(issued));
  await workbench.notification(/operator ann ends on/).waitFor({ timeout: 60_000 });
  await open("Signed");
  await waitUntil("the order of the signed ones", async () => {
    const rows = await workbench.rows(VIEW);
    const signed = rows.map(({ label, description }) => `${label}: ${description}`).join("; ");
    return /old9: expired 3 days ago; ann: operator · expires in 5 days; .*web1/.test(signed);
  });
  await session.screenshots("certificates-ending");
  await workbench.clearNotifications();
});

test("the CA is locked with a passphrase, and unlocked by hand, then by what VS Code keeps", async () => {
  const passphrase = `three words ${Date.now()}`;
  await workbench.palette("Func: Set the CA's Passphrase...");
  await workbench.step(1);
  await workbench.type(passphrase);
  await workbench.step(2);
  await workbench.type("another one");
  await workbench.quickInput.getByText("This is another one.").first().waitFor();
  await workbench.type(passphrase);
  await workbench.notification("The CA's key is encrypted.").waitFor();
  await workbench.clearNotifications();
  loseOverlord();
  const locked = workbench.row(VIEW, "The CA is locked");
  await locked.waitFor();
  await workbench.clearNotifications();
  await session.screenshots("certificates-locked");
  expect(await problemsInPart(workbench.page, '[role="tree"][aria-label^="Certificates"]')).toEqual(
    [],
  );
  await locked.hover();
  await action(locked, "Unlock the CA...").click();
  await workbench.type(passphrase);
  await locked.waitFor({ state: "detached" });
  await workbench
    .notification("The CA is unlocked.")
    .getByRole("button", { name: "Keep It" })
    .click();
  loseOverlord();
  await waitUntil("the CA unlocked by itself", () => func("ca", "list").includes('"ready"'));
});

test("a host is added in a terminal, where ssh can ask and its answer stays", async () => {
  if (!session.hasTerminals) return; // the oldest version's are not shipped ready to run
  await workbench.palette("Func: Add Host...");
  await workbench.quickText.fill("root@web9.invalid");
  await workbench.pick(/root@web9\.invalid/);
  await workbench.page.locator(".terminal-wrapper.active .xterm").waitFor();
  const answer = join(host, "answer.txt");
  await waitUntil("the shell that follows", async () => {
    await workbench.page.keyboard.type(`echo $FUNC_HOME > ${answer}\n`);
    await workbench.page.waitForTimeout(500);
    return existsSync(answer);
  });
  expect(readFileSync(answer, "utf8").trim()).toBe(session.home);
  await session.screenshots("certificates-add-host");
  await workbench.palette("Terminal: Kill All Terminals");
});

test("the pages kept to their content security policy", () => {
  expect(session.policyViolations()).toEqual([]);
});

function run(home: string, args: readonly string[]): HostRun {
  const started = runFuncd(home, args);
  runs.push(started);
  return started;
}

/** As after a crash; VS Code starts another one. */
function loseOverlord(): void {
  const pid = overlordPid(session.home);
  if (pid === undefined) throw new Error("no overlord runs");
  process.kill(pid, "SIGKILL");
}

/** What the command line prints as JSON. */
function func(...args: string[]): string {
  const script = join(ROOT, "dist", "func.js");
  const env = { ...process.env, FUNC_HOME: session.home };
  return execFileSync(process.execPath, [script, "--json", ...args], { env }).toString();
}

/** A line of issued.json. */
function issuedTo(name: string, role: string, daysLeft: number): object {
  // whole days in either direction
  const notAfterMs = Date.now() + daysLeft * DAY_MS + Math.sign(daysLeft) * 60_000;
  const notBeforeMs = notAfterMs - 90 * DAY_MS;
  const digits = Buffer.from(name).toString("hex").toUpperCase();
  const keyFingerprint = digits.toLowerCase().padEnd(64, "0");
  return { name, role, serial: digits, keyFingerprint, notBeforeMs, notAfterMs };
}

function action(row: Locator, title: string): Locator {
  return row.getByRole("button", { name: title });
}

async function open(label: string): Promise<void> {
  const row = workbench.row(VIEW, label);
  await waitUntil(`${label} opened`, async () => {
    // an empty group cannot be opened, and says neither
    const expanded = await row.getAttribute("aria-expanded");
    if (expanded === "false") await row.locator(".label-name").click();
    return expanded === "true";
  });
}
