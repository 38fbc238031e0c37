import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OverlordConnection } from "../../../server/client/connection";
import { OriginalFuncd } from "../../fixtures/originalFuncd";
import { type HostRun, runFuncd } from "./host";
import { connectTo } from "./overlordOf";
import { waitUntil } from "./processes";
import { ResultsPage } from "./resultsPage";
import type { Session } from "./session";
import type { Workbench } from "./workbench";

const LOCAL = ["--listen", "127.0.0.1:0", "--announce", "127.0.0.1"];

let session: Session;
let workbench: Workbench;
/** The overlord of mid1, and what joins it meanwhile: a host of ours with its folder, one of the original. */
let mid1: OverlordConnection | undefined;
let original: OriginalFuncd | undefined;
let host: string | undefined;
const runs: HostRun[] = [];

/** Cases for a window whose fleet is a tree with minion1 and minion2 behind mid1. What joins there goes at the end. */
export function testHostsBehind(started: () => Session): void {
  beforeAll(() => {
    session = started();
    workbench = session.workbench;
  });
  afterAll(async () => {
    await original?.close();
    mid1?.dispose();
    await stopAsked();
    if (host !== undefined) rmSync(host, { recursive: true, force: true });
  });
  test("a host that asks at a sub-overlord is approved from here, and stands behind it then", async () => {
    const endpoint = await takeRequests();
    const asking = run(["join", "--ask", ...endpoint, ...LOCAL, "--name", "asked1"]);
    await waitUntil("the words of the host", () => asking.output().includes("key of this host"));
    await workbench.unfold("Certificates");
    const row = workbench.row("Certificates", "asked1");
    await row.waitFor({ timeout: 40_000 });
    expect(
      (await workbench.rows("Certificates")).find(({ label }) => label === "Waiting at mid1"),
    ).toEqual({
      label: "Waiting at mid1",
      description: "1",
      level: 1,
    });
    await session.screenshots("certificates-below");
    await workbench.context("Certificates", "asked1", "Approve Certificate Request...");
    await workbench.dialog.getByText("It waits at the sub-overlord mid1").waitFor();
    await session.screenshots("certificates-below-approve");
    await workbench.dialog.getByRole("button", { name: /the same: approve/i }).click();
    expect(await asking.ended).toBe(0);
    await row.waitFor({ state: "detached" });
    run([]);
    original = await OriginalFuncd.start(await overlordOfMid1(), "old1");
    await workbench.palette("Func: Build Delegation Map");
    await workbench.openRow("Minions", "mid1");
    for (const name of ["asked1", "old1"]) await workbench.row("Minions", name).waitFor();
    await workbench.clearNotifications();
    await session.screenshots("map-tree-asked");
  });

  test("a result from behind a sub-overlord says who vouches for it", async () => {
    const file = join(session.home, "map.identities.yaml");
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, lines.filter((line) => !line.includes('"minion1"')).join("\n"));
    await workbench.palette("Func: Ping");
    await workbench.type("minion1;minion2;old1;asked1");
    await workbench.editorTab(/^Results:/).waitFor();
    const results = new ResultsPage(workbench);
    await results.allRows(4, /succeeded/);
    const marks = async (minion: string): Promise<string[]> =>
      results.row(minion).locator(".mark").allInnerTexts();
    expect(await marks("minion1")).toEqual([expect.stringMatching(/^new key/)]);
    expect(await marks("minion2")).toEqual([]);
    expect(await marks("old1")).toEqual([expect.stringMatching(/^unsigned/)]);
    await session.screenshots("results-vouched");
    await session.contrastScreenshots("results-vouched");
    expect(await session.accessibilityProblems(results.document)).toEqual([]);
  });

  test("advice of a sub-overlord says where to follow it", async () => {
    await stopAsked();
    await workbench.palette("Func: Ping");
    await workbench.type("asked1");
    await workbench.editorTab(/^Results:/).waitFor();
    const results = new ResultsPage(workbench);
    await results.allRows(1, /unreachable/);
    await results.row("asked1").locator("[data-minion]").click();
    await results.document.getByText(/^At mid1: /).waitFor();
    await session.screenshots("results-advice");
  });

  test("methods of another host than was chosen say so", async () => {
    await workbench.palette("Func: Call Module Method...");
    await workbench.step(1);
    await workbench.type("asked1");
    const question = workbench.quickInput.getByPlaceholder(/^Module of mid1: asked1 could not be/);
    await question.waitFor({ timeout: 40_000 });
    await session.screenshots("methods-instead");
    await workbench.page.keyboard.press("Escape");
  });
}

/** Has mid1 take certificate requests; gives what a host needs to ask there. */
async function takeRequests(): Promise<string[]> {
  const overlord = await overlordOfMid1();
  const mode = { forMs: 600_000 };
  const { caFingerprint = "" } = await overlord.request("certmaster/setApproval", mode);
  const { certmasterListening = "" } = await overlord.request("overlord/status", {});
  return [certmasterListening, "--ca-fingerprint", caFingerprint];
}

async function overlordOfMid1(): Promise<OverlordConnection> {
  return (mid1 ??= await connectTo(join(session.home, "sub-overlords", "mid1")));
}

/** Runs funcd on the host that joins. */
function run(args: readonly string[]): HostRun {
  host ??= mkdtempSync(join(tmpdir(), "fd-"));
  const started = runFuncd(host, args);
  runs.push(started);
  return started;
}

async function stopAsked(): Promise<void> {
  for (const one of runs) await one.stop();
}
