import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { followCall } from "../../server/client/followJob";
import { packFileProbe, probeFile } from "./harness/fileProbe";
import { ROOT } from "./harness/paths";
import { waitUntil } from "./harness/processes";
import { ResultsPage } from "./harness/resultsPage";
import { type Session, startSession } from "./harness/session";
import type { Workbench } from "./harness/workbench";

const LINE = `${"0123456789abcdef".repeat(4)}\n`;
const LINES = 1_600_000;
/** Parts of 4 MiB. */
const PARTS = Math.ceil((LINE.length * LINES) / (4 * 1024 * 1024));

let session: Session;
let workbench: Workbench;
let scratch: string;
let connection: OverlordConnection;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "fx-"));
  session = await startSession(2, undefined, [await packFileProbe(scratch)]);
  workbench = session.workbench;
  connection = await connectOverlord({
    dataDirectory: session.home,
    kind: "library",
    version: "0",
    launch: { execPath: process.execPath, script: join(ROOT, "dist", "overlord.js") },
  });
});
afterAll(async () => {
  connection.dispose();
  await session.stop();
  rmSync(scratch, { recursive: true, force: true });
});
beforeEach(async ({ onTestFailed, task }) => {
  onTestFailed(() => session.keepEvidence(task.name));
  await workbench.page.keyboard.press("Escape");
  await workbench.closeEditors();
});

test("100 MB are read by other extensions byte for byte, and opened in parts", async () => {
  const block = join(scratch, "block");
  writeFileSync(block, LINE.repeat(1000));
  const jobId = await run("minion1", `for i in $(seq ${LINES / 1000}); do cat ${block}; done`);
  const wanted = createHash("sha256");
  for (let at = 0; at < LINES / 1000; at++) wanted.update(LINE.repeat(1000));
  const sha256 = wanted.digest("hex");
  const size = LINE.length * LINES;
  expect(await probeFile(workbench, uriOf(jobId, "stdout"), scratch)).toEqual({
    size,
    readonly: true,
    bytes: size,
    sha256,
  });

  await showResults();
  await openFromResults();
  await workbench.editorTab(new RegExp(`part 1 of ${PARTS}`)).waitFor({ timeout: 60_000 });
  await workbench.page.locator(".view-line", { hasText: LINE.trim() }).first().waitFor();
  await session.screenshots("output-part");
  await workbench.page.getByRole("button", { name: "Next Part" }).click();
  await workbench.editorTab(new RegExp(`part 2 of ${PARTS}`)).waitFor({ timeout: 60_000 });
  await workbench.palette("Func: Previous Part");
  await workbench.editorTab(new RegExp(`part 1 of ${PARTS}`)).waitFor({ timeout: 60_000 });

  const file = join(scratch, "saved.txt");
  await workbench.palette("Func: Save Whole Output As...");
  await workbench.saveAs(file);
  await waitUntil("the saved file", () => readdirSync(scratch).includes("saved.txt"), 60_000);
  const saved = readFileSync(file);
  expect(saved.includes(LINE)).toBe(true);
  expect(saved.length).toBeGreaterThanOrEqual(size);
  expect(readdirSync(scratch).filter((name) => name.includes("saved"))).toEqual(["saved.txt"]);
});

test("binary bytes and every plane of Unicode are read exactly", async () => {
  const binary = Buffer.from(Uint8Array.from({ length: 300_001 }, (_, at) => (at * 7) & 0xff));
  const planes = Array.from({ length: 17 }, (_, plane) =>
    String.fromCodePoint(plane * 0x10000 + 0x41, plane * 0x10000 + 0x20ac),
  ).join("");
  const unicode = Buffer.from(planes.repeat(3_000));
  for (const [name, content] of [
    ["binary", binary],
    ["unicode", unicode],
    ["small", binary.subarray(0, 300)],
  ] as const) {
    writeFileSync(join(scratch, name), content);
    const jobId = await run("minion1", `cat ${join(scratch, name)}; echo err >&2`);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const out = await probeFile(workbench, uriOf(jobId, "stdout"), scratch);
    expect(out).toMatchObject({ size: content.length, bytes: content.length, sha256 });
    expect((await probeFile(workbench, uriOf(jobId, "stderr"), scratch)).bytes).toBe(4);
  }
  await expect(probeFile(workbench, uriOf("no-such-job", "stdout"), scratch)).rejects.toThrow(
    "The probe failed",
  );
});

test("bytes that are no text open as text", async () => {
  await run("minion1", "printf 'a\\000b\\377c'");
  await showResults();
  await openFromResults();
  await workbench.page.locator(".view-line", { hasText: "a\u2400b\ufffdc" }).first().waitFor();
});

test("two minions' results are compared, chosen by name", async () => {
  await run("*", "cat /proc/sys/kernel/random/uuid");
  await showResults();
  await workbench.palette("Func: Compare Results...");
  await workbench.pick("minion1");
  await workbench.pick("minion2");
  await workbench.editorTab("minion1 ↔ minion2 (command.run)").waitFor();
  await workbench.page.locator(".monaco-diff-editor").first().waitFor();
});

/** Runs a command and gives the id of its job, which is the newest then. */
async function run(spec: string, command: string): Promise<string> {
  const call = { spec, module: "command", method: "run", args: [command] };
  const { id } = await followCall(connection, call, { onResult: () => undefined });
  return id;
}

/** Opens the results of the newest job. */
async function showResults(): Promise<void> {
  await workbench.palette("Func: Show Results...");
  await workbench.quickInput.getByRole("option").first().click();
  await workbench.editorTab(/^Results:/).waitFor();
}

/** Opens the output of minion1 from the page of results in front. */
async function openFromResults(): Promise<void> {
  const results = new ResultsPage(workbench);
  await results.arrange("By minion");
  await results.row("minion1").click();
  await results.button("Open in Editor").first().click();
}

function uriOf(jobId: string, section: string): string {
  const query = new URLSearchParams({ jobId, minion: "minion1", call: "command.run", section });
  return `func-result:/minion1.txt?${encodeURIComponent(query.toString())}`;
}
