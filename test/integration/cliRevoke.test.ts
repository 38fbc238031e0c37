import { spawn, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { signOperator } from "../fixtures/operator";
import { RealFleet } from "../fixtures/realFleet";
import { buildPrograms, programScript } from "../fixtures/programs";

let fleet: RealFleet;
let script: string;

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

beforeAll(async () => {
  fleet = await RealFleet.create();
  script = programScript(fleet.root, "func");
  await buildPrograms(fleet.root, ["func"]);
  await fleet.add("web1", "web2");
}, 60_000);
afterAll(() => fleet.close());

function run(command: string, args: string[], input?: string): Promise<Run> {
  const env = { ...process.env, FUNC_HOME: fleet.data };
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  const result: Run = { status: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  if (input === undefined) child.stdin.end();
  else child.stdin.write(input);
  return new Promise((resolve) => {
    child.once("close", (status) => {
      resolve({ ...result, status });
    });
  });
}

const func = (...words: string[]): Promise<Run> => run(process.execPath, [script, ...words]);

/** With a terminal of its own, into which `typed` goes. */
function funcOnTerminal(typed: string, ...words: string[]): Promise<Run> {
  const line = [process.execPath, script, ...words].join(" ");
  return run("script", ["--quiet", "--return", "--command", line, "/dev/null"], typed);
}

it("revokes once someone has typed the name", async () => {
  const unasked = await func("ca", "revoke", "web2");
  expect(unasked).toMatchObject({ status: 2, stdout: "" });
  expect(unasked.stderr).toContain("Add --yes");
  const wrong = await funcOnTerminal("web1\n", "ca", "revoke", "web2");
  expect(wrong.status).toBe(1);
  expect(wrong.stdout).toContain("Nothing is revoked");
  expect((await fleet.call("test", "ping")).get("web2")).toMatchObject({ state: "succeeded" });
  const right = await funcOnTerminal("web2\n", "ca", "revoke", "web2", "--reason", "stolen");
  expect(right.status).toBe(0);
  expect(right.stdout).toContain("1 certificate is revoked (list 1). 1 minion has the new list.");
  expect((await fleet.call("test", "ping")).get("web2")).toMatchObject({ state: "unreachable" });
  expect((await func("ca", "list")).stdout).toMatch(/web2 +minion +revoked .*\(stolen\)/);
});

it("says who does not have the list yet, and what there is nothing to revoke of", async () => {
  const connection = await fleet.connection();
  const { record } = await signOperator(connection, "ann", fleet.root);
  const asMinion = await func("ca", "revoke", "ann", "--yes");
  expect(asMinion.status).not.toBe(0);
  expect(asMinion.stderr).toContain("func ca revoke ann --operator");
  await fleet.stopMinion("web1");
  const revoked = await func("ca", "revoke", "--serial", record.serial.toLowerCase(), "--yes");
  expect(revoked).toMatchObject({ status: 0, stdout: expect.stringContaining("ann") as string });
  expect(revoked.stderr).toContain("0 minions have the new list");
  expect(revoked.stderr).toMatch(/web1: .*refused the connection/);
  await fleet.startMinion("web1");
  for (const [words, problem] of [
    [["ann", "--operator"], "revoked already"],
    [["web1", "--operator"], "There is no operator web1"],
    [["nobody"], "There is no minion nobody"],
    [["--serial", "0123"], "serial number 0123"],
  ] as const) {
    const none = await func("ca", "revoke", ...words, "--yes");
    expect(none.status).not.toBe(0);
    expect(none.stderr).toContain(problem);
  }
});

it("exports the X.509 list", async () => {
  const file = join(fleet.root, "crl.pem");
  const written = await func("ca", "crl", "--out", file);
  expect(written).toMatchObject({ status: 0, stdout: "" });
  expect((await func("ca", "crl")).stdout).toMatch(/^-----BEGIN X509 CRL-----/);
  expect(await readFile(file, "utf8")).toMatch(/^-----BEGIN X509 CRL-----/);
  const args = ["crl", "-in", file, "-noout", "-verify"];
  const ca = join(fleet.data, "ca", "ca.crt");
  const { stderr } = spawnSync("openssl", [...args, "-CAfile", ca], { encoding: "utf8" });
  expect(stderr).toContain("verify OK");
});
