import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { askAt } from "../../server/client/askAt";
import { startFuncd } from "../../server/client/funcdProcess";
import { connect, endOverlord, until } from "../fixtures/overlordBundle";
import { buildPrograms, programScript, runProgram, type ProgramRun } from "../fixtures/programs";

const LIMIT_MS = 120_000;
const COMMENT = "# of this site\n";

let root: string;
let funcdHome: string;
let below: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "func-sub-"));
  await buildPrograms(root);
  funcdHome = join(root, "funcd");
  below = join(root, "below");
  await mkdir(funcdHome, { mode: 0o700 });
  await writeFile(
    join(funcdHome, "minion.yaml"),
    `${COMMENT}name: mid1\nlisten: {host: 127.0.0.1, port: 0}\nannounce: 127.0.0.1\n`,
  );
  for (const home of [below, join(root, "top")]) {
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, "overlord.yaml"), 'certmaster: { listen: "127.0.0.1:0" }\n');
  }
}, LIMIT_MS);

afterEach(async () => {
  for (const home of [below, join(root, "top")]) await endOverlord(home);
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}, LIMIT_MS);

function subOverlord(words: string[], home = below): Promise<ProgramRun> {
  const all = ["suboverlord", ...words, "--funcd-home", funcdHome, "--home", home];
  return runProgram(root, "func", all, { env: { PATH: `${root}:${process.env.PATH ?? ""}` } });
}

async function topToken(nameGlob = "mid1"): Promise<string> {
  const top = await connect(join(root, "top"), programScript(root, "overlord"));
  try {
    const params = { nameGlob, addresses: ["127.0.0.1"] };
    return (await top.request("certmaster/createToken", params)).token;
  } finally {
    top.dispose();
  }
}

it(
  "enrols the host above, gives it an overlord of its own, and takes that back",
  async () => {
    const first = await subOverlord(["init", "--no-service", "--token", await topToken()]);
    expect(first.stderr).toContain("mid1 is a sub-overlord");
    expect(first.stderr).toContain(`Start funcd now: funcd --home ${funcdHome}`);
    expect(first.status).toBe(0);
    const yaml = await readFile(join(funcdHome, "minion.yaml"), "utf8");
    expect(yaml).toContain(COMMENT);
    expect(yaml).toContain(below);
    expect(existsSync(join(below, "ca", "ca.crt"))).toBe(true);

    const again = await subOverlord(["init", "--no-service"]);
    expect(again).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("names it already") as string,
    });
    expect(await readFile(join(funcdHome, "minion.yaml"), "utf8")).toBe(yaml);

    const status = await subOverlord(["status"]);
    expect(status.stdout).toMatch(
      /^mid1 is enrolled above, until .* UTC\nits funcd does not run\n/,
    );
    expect(status.stdout).toContain(`sub-overlord with the data directory ${below}\n`);
    expect(status.stdout).toContain("0 minions below it\n");

    const removed = await subOverlord(["remove"]);
    expect(removed.status).toBe(0);
    expect(await readFile(join(funcdHome, "minion.yaml"), "utf8")).not.toContain("sub_overlord");
    expect(existsSync(join(below, "ca", "ca.crt"))).toBe(true);
    expect((await subOverlord(["remove"])).stderr).toContain("nothing is to be done");
    expect((await subOverlord(["status"])).stdout).toContain("it is no sub-overlord");
  },
  LIMIT_MS,
);

it(
  "begins with nothing on the host but the program",
  async () => {
    await rm(funcdHome, { recursive: true });
    const first = await subOverlord(["init", "--no-service", "--token", await topToken("*")]);
    expect(first).toMatchObject({ status: 0 });
    expect(await readFile(join(funcdHome, "minion.yaml"), "utf8")).toContain(below);
    await rm(funcdHome, { recursive: true });
    await writeFile(funcdHome, "");
    const inTheWay = await subOverlord(["init", "--no-service", "--token", "none"]);
    expect(inTheWay.status).toBe(1);
    expect(inTheWay.stderr).toContain(funcdHome);
    expect(inTheWay.stderr).not.toContain("    at ");
  },
  LIMIT_MS,
);

it(
  "is known to a funcd that runs already, and forgotten by it",
  async () => {
    const token = await topToken();
    const joined = await runProgram(root, "funcd", ["join", token, "--home", funcdHome]);
    expect(joined.status).toBe(0);
    const funcd = startFuncd({
      ...{ execPath: process.execPath, funcdScript: programScript(root, "funcd") },
      ...{ homes: [funcdHome], names: ["mid1"] },
    });
    const top = await connect(join(root, "top"), programScript(root, "overlord"));
    const data = async (): Promise<string> =>
      (await askAt(top, ["mid1"], "overlord/status", {})).dataDirectory;
    try {
      await funcd.serving(new AbortController().signal);
      await expect(data()).rejects.toThrow("mid1 is no sub-overlord");
      const init = await subOverlord(["init", "--no-service"]);
      expect(init.stderr).toContain("reads it by itself");
      await until(() =>
        data().then(
          (found) => found === below,
          () => false,
        ),
      );
      expect((await subOverlord(["remove"])).status).toBe(0);
      await until(() =>
        data().then(
          () => false,
          () => true,
        ),
      );
      await expect(data()).rejects.toThrow("mid1 is no sub-overlord");
    } finally {
      top.dispose();
      await funcd.close();
    }
  },
  LIMIT_MS,
);

it(
  "refuses what cannot be, and changes nothing then",
  async () => {
    const before = await readFile(join(funcdHome, "minion.yaml"), "utf8");
    const unenrolled = await subOverlord(["init", "--no-service"]);
    expect(unenrolled.stderr).toContain("is not enrolled with an overlord above");
    expect(unenrolled.stderr).toContain("--token TOKEN");
    expect(unenrolled.status).toBe(1);

    const token = await topToken();
    const itself = await subOverlord(["init", "--no-service", "--token", token], join(root, "top"));
    expect(itself.stderr).toContain("it cannot be its own sub-overlord");
    expect(await readFile(join(funcdHome, "minion.yaml"), "utf8")).not.toContain("sub_overlord");

    await writeFile(join(funcdHome, "minion.yaml"), `${before}sub_overlord: {home: /elsewhere}\n`);
    const another = await subOverlord(["init", "--no-service"]);
    expect(another.stderr).toContain("names another overlord: /elsewhere");

    const none = await runProgram(root, "func", [
      ...["suboverlord", "init", "--funcd-home", join(root, "none"), "--home", below],
    ]);
    expect(none.stderr).toContain("There is no funcd on this host");
    expect(existsSync(join(below, "ca"))).toBe(false);
  },
  LIMIT_MS,
);

it(
  "says what to do where systemd does not run",
  async () => {
    // nothing of this machine's is touched: systemctl is one that never works
    await writeFile(join(root, "systemctl"), "#!/bin/sh\necho no systemd here >&2\nexit 1\n");
    await chmod(join(root, "systemctl"), 0o755);
    const run = await subOverlord(["init", "--token", await topToken()]);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("systemd does not run here");
    expect(await readFile(join(funcdHome, "minion.yaml"), "utf8")).not.toContain("sub_overlord");
  },
  LIMIT_MS,
);
