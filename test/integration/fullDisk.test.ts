import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, cp, mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { XmlRpcValue } from "../../server/wire/value";
import type { WireClient } from "../../server/wire/wireClient";
import { AccessLab } from "../fixtures/accessLab";

let lab: AccessLab;
let overlord: WireClient;
let mounted = false;

/** The home of this minion lies on a disk of one MiB: only root can mount one. */
beforeAll(async () => {
  lab = await AccessLab.start();
  overlord = lab.client(await lab.credentials("overlord", "boss"));
  await lab.stop();
  const aside = join(lab.root, "aside");
  await cp(lab.home, aside, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", lab.home]);
  mounted = true;
  await cp(aside, lab.home, { recursive: true });
  await lab.serve();
});

afterAll(async () => {
  await lab.stop();
  if (mounted) execFileSync("umount", ["-l", lab.home]);
  await lab.close();
});

/** Writes until there is no byte left. */
async function fill(): Promise<string> {
  const file = join(lab.home, "fill");
  const handle = await open(file, "a");
  try {
    for (let size = 64 * 1024; size >= 1;) {
      const { bytesWritten } = await handle
        .write(Buffer.alloc(size))
        .catch(() => ({ bytesWritten: 0 }));
      if (bytesWritten === 0) size = size >> 1;
    }
  } finally {
    await handle.close();
  }
  await expect(appendFile(join(lab.home, "more"), "x")).rejects.toThrow("ENOSPC");
  await rm(join(lab.home, "more"), { force: true });
  return file;
}

function call(method: string, params: XmlRpcValue[], callId: string): Promise<XmlRpcValue> {
  return overlord.call(lab.peer, method, params, { timeoutMs: 20_000, callId });
}

/** Until funcd has its reserve again. */
async function renewed(): Promise<void> {
  await rm(join(lab.home, "fill"), { force: true });
  await lab.serve();
  expect(existsSync(join(lab.home, "reserve"))).toBe(true);
}

it("lets the overlord clean up a full disk by a call that runs once", async () => {
  const file = await fill();
  expect(await call("command.run", [`rm ${file} && echo gone`], "c1")).toEqual([0, "gone\n", ""]);
  const journal = readFileSync(join(lab.home, "calls"), "utf8");
  expect(journal).toContain(" c1\n");
  await lab.serve();
  expect(await call("command.run", [`touch ${join(lab.home, "again")}`], "c1")).toMatchObject({
    0: "REMOTE_ERROR",
    2: expect.stringContaining("was not run again") as string,
  });
  expect(existsSync(join(lab.home, "again"))).toBe(false);
});

it("lets it do so by an async call, and answers its result", async () => {
  await renewed();
  const file = await fill();
  const id = await call("async.command.run", [`rm ${file} && echo gone`], "c2");
  expect(await call("jobs.wait", [id, 20], "c3")).toEqual([1, [0, "gone\n", ""]]);
});

it("says loudly what it cannot tell of a job that fills the disk itself", async () => {
  await renewed();
  const file = join(lab.home, "fill");
  // nothing is left for the exit status either
  const command = `cat /dev/zero >>${file}; for i in 1 2 3 4; do head -c 4096 /dev/zero >>${file}; done; exit 3`;
  const id = await call("async.command.run", [command], "c21");
  expect(await call("jobs.wait", [id, 20], "c22")).toMatchObject({
    0: 1,
    1: {
      0: "REMOTE_ERROR",
      2: expect.stringContaining("its exit status could not be written") as string,
    },
  });
  await rm(file);
});

it("goes on where the reserve is used up as well, and says what that costs", async () => {
  await renewed();
  await fill();
  await rm(join(lab.home, "reserve"));
  const file = await fill();
  // to the end of its last page
  const journal = join(lab.home, "calls");
  await appendFile(journal, "\n".repeat(4096 - ((await stat(journal)).size % 4096)));
  expect(await call("command.run", ["echo still"], "c4")).toEqual([0, "still\n", ""]);
  expect(await call("command.run", ["echo still"], "c4")).toEqual([0, "still\n", ""]);
  expect(lab.log).toContain("a call runs that is not on record");
  expect(await call("command.run", [`rm ${file}`], "c5")).toEqual([0, "", ""]);
  await lab.stop();
  expect(readFileSync(journal, "utf8")).toMatch(/ c4\n.* c5\n/);
  await lab.serve();
  expect(await call("command.run", ["echo again"], "c6")).toEqual([0, "again\n", ""]);
  expect(await call("command.run", ["echo again"], "c5")).toMatchObject({ 0: "REMOTE_ERROR" });
});

it("starts on a full disk", async () => {
  await renewed();
  await lab.stop();
  const file = await fill();
  await lab.serve();
  expect(await call("command.run", [`rm ${file} && echo gone`], "c7")).toEqual([0, "gone\n", ""]);
});

it("goes on where the disk is read-only, by a call that mends it", async () => {
  await renewed();
  const remount = (how: string): string[] => ["-o", `remount,${how}`, lab.home];
  execFileSync("mount", remount("ro"));
  try {
    await expect(mkdir(join(lab.home, "x"))).rejects.toThrow("EROFS");
    const command = `mount ${remount("rw").join(" ")} && echo mended`;
    expect(await call("command.run", [command], "c8")).toEqual([0, "mended\n", ""]);
  } finally {
    execFileSync("mount", remount("rw"));
  }
});
