import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";
import { buildPrograms, programScript } from "../fixtures/programs";

let fleet: RealFleet;
let script: string;

beforeAll(async () => {
  fleet = await RealFleet.create();
  script = programScript(fleet.root, "func");
  await buildPrograms(fleet.root, ["func"]);
  await fleet.add("web1");
});
afterAll(() => fleet.close());

function func(args: string[], input = ""): Promise<{ status: number | null; text: string }> {
  const env = { ...process.env, FUNC_HOME: fleet.data };
  const child = spawn(process.execPath, [script, ...args], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let text = "";
  const collect = (chunk: string): void => void (text += chunk);
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.once("close", (status) => {
      resolve({ status, text });
    });
  });
}

it("sets, changes, asks for and removes the CA's passphrase, which shows up nowhere", async () => {
  const first = "a first passphrase";
  const second = "a second passphrase";
  expect(await func(["ca", "passphrase"])).toMatchObject({
    status: 2,
    text: expect.stringContaining("--stdin") as string,
  });
  expect((await func(["ca", "passphrase", "--stdin"], `${first}\n`)).text).toContain("encrypted");
  expect((await func(["ca", "unlock", "--stdin"], "")).text).toContain("not locked");
  const changed = await func(["ca", "passphrase", "--stdin"], `${first}\n${second}\n`);
  expect(changed.status).toBe(0);

  await fleet.stopOverlord();
  await fleet.connection();
  expect((await func(["ca", "list"])).text).toContain("locked");
  expect((await func(["web1", "ping"])).status).toBe(0);
  const denied = await func(["ca", "renew", "web1"]);
  expect(denied).toMatchObject({ status: 1, text: expect.stringContaining("locked") as string });
  const wrong = await func(["ca", "unlock", "--stdin"], `${first}\n`);
  expect(wrong).toMatchObject({ status: 1, text: expect.stringContaining("wrong") as string });
  await until(async () => (await func(["ca", "unlock", "--stdin"], `${second}\n`)).status === 0);
  expect((await func(["ca", "renew", "web1"])).text).toMatch(/web1 +renewed until 20/);
  expect((await func(["ca", "passphrase", "--remove", "--stdin"], `${second}\n`)).status).toBe(0);
  expect(await readFile(join(fleet.data, "ca", "ca.key"), "utf8")).toContain("BEGIN PRIVATE KEY");

  for (const file of ["overlord.log", "audit.log"]) {
    const content = await readFile(join(fleet.data, file), "utf8");
    expect(content).not.toContain(first);
    expect(content).not.toContain(second);
  }
});
