import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { FuncError } from "../../server/common/errors";
import { OutputFiles } from "../../server/jobs/outputs/outputFiles";
import { openOutputs, spool } from "../fixtures/outputFolder";

const run = promisify(execFile);
const TEXT = Buffer.from("äöü€𝄞 one line\n".repeat(20_000));

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function nameOf({ sha256, bytes }: { sha256: string; bytes: number }): string {
  return `${sha256}.${bytes}`;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

it("keeps an output whole, privately, by its hash, and reads it by range", async () => {
  const { files, folder } = await openOutputs();
  const output = await spool(files, TEXT);
  expect(output).toEqual({ sha256: sha256Of(TEXT), bytes: TEXT.length });
  expect(await readdir(folder)).toEqual([nameOf(output)]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, nameOf(output)))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(folder, nameOf(output)))).equals(TEXT)).toBe(true);
  const middle = await files.read(output.sha256, 1_000, 70_000);
  expect(middle.total).toBe(TEXT.length);
  expect(middle.bytes.equals(TEXT.subarray(1_000, 71_000))).toBe(true);
  const end = await files.read(output.sha256, TEXT.length - 3, 1_000_000);
  expect(end.bytes.equals(TEXT.subarray(-3))).toBe(true);
  expect((await files.read(output.sha256, TEXT.length + 5, 10)).bytes).toHaveLength(0);
  expect(files.bytes).toBe(TEXT.length);
});

it("keeps equal outputs once, also when they come at the same time", async () => {
  const { files, folder } = await openOutputs();
  const outputs = await Promise.all(Array.from({ length: 20 }, () => spool(files, TEXT, 7_000)));
  expect(new Set(outputs.map(({ sha256 }) => sha256)).size).toBe(1);
  await until(async () => (await readdir(folder)).length === 1);
  expect(files.bytes).toBe(TEXT.length);
  const { sha256 } = await spool(files, Buffer.alloc(0));
  expect((await files.read(sha256, 0, 10)).total).toBe(0);
});

it("keeps an output while a job holds it, or will", async () => {
  const { files, folder } = await openOutputs();
  const output = await spool(files, TEXT);
  await spool(files, TEXT);
  expect(files.hold("job1", output.sha256)).toBe(true);
  files.release("job1");
  expect((await files.read(output.sha256, 0, 1)).total).toBe(TEXT.length);
  expect(files.hold("job2", output.sha256)).toBe(true);
  expect(files.hold("job3", output.sha256)).toBe(true);
  files.release("job2");
  expect(await readdir(folder)).toHaveLength(1);
  files.release("job3");
  await expect(files.read(output.sha256, 0, 1)).rejects.toMatchObject({ reason: "not-found" });
  expect(files.hold("job4", output.sha256)).toBe(false);
  await until(async () => (await readdir(folder)).length === 0);
  expect(files.bytes).toBe(0);
});

it("keeps an output that comes again while it is being removed", async () => {
  const { files, folder } = await openOutputs();
  for (let round = 0; round < 20; round++) {
    const { sha256 } = await spool(files, TEXT);
    files.hold("first", sha256);
    const again = spool(files, TEXT);
    files.release("first");
    await again;
    files.hold("second", sha256);
    expect((await files.read(sha256, 0, TEXT.length)).bytes.equals(TEXT)).toBe(true);
    files.release("second");
  }
  await until(async () => (await readdir(folder)).length === 0);
  expect(files.bytes).toBe(0);
});

it("removes what was discarded, or taken back", async () => {
  const { files, folder } = await openOutputs();
  const writer = files.create();
  writer.write(TEXT);
  await writer.discard();
  expect(await readdir(folder)).toEqual([]);
  files.unclaim(await spool(files, TEXT));
  await until(async () => (await readdir(folder)).length === 0);
  expect(files.bytes).toBe(0);
});

it("keeps what the jobs of an earlier process hold, and nothing else of that one", async () => {
  const { files, folder } = await openOutputs();
  const kept = await spool(files, "kept".repeat(100));
  const shared = await spool(files, "shared".repeat(100));
  const unneeded = await spool(files, "unneeded".repeat(100));
  await files.close();
  await writeFile(join(folder, `${"0".repeat(24)}.tmp`), "half");
  await writeFile(join(folder, "README"), "a person's");
  const next = await OutputFiles.open(folder);
  expect(next.bytes).toBe(400 + 600 + 800);
  // not before it is known who holds what
  next.release("unknown");
  expect((await next.read(unneeded.sha256, 0, 8)).bytes.toString()).toBe("unneeded");
  next.release("gone");
  next.inherit([
    { jobId: "job1", sha256: [kept.sha256, shared.sha256] },
    { jobId: "job2", sha256: [shared.sha256, "f".repeat(64)] },
    { jobId: "gone", sha256: [unneeded.sha256] },
  ]);
  const names = [nameOf(kept), nameOf(shared), "README"].sort();
  await until(async () => (await readdir(folder)).sort().join() === names.join());
  next.release("job1");
  await expect(next.read(kept.sha256, 0, 1)).rejects.toMatchObject({ reason: "not-found" });
  expect((await next.read(shared.sha256, 0, 6)).bytes.toString()).toBe("shared");
  next.release("job2");
  await until(async () => (await readdir(folder)).join() === "README");
  expect(next.bytes).toBe(0);
  await next.close();
});

it("takes an output that an earlier process left for a new one", async () => {
  const { files, folder } = await openOutputs();
  const { sha256 } = await spool(files, TEXT);
  await files.close();
  const next = await OutputFiles.open(folder);
  expect(await spool(next, TEXT)).toEqual({ sha256, bytes: TEXT.length });
  next.inherit([]);
  expect(next.hold("job1", sha256)).toBe(true);
  expect((await next.read(sha256, 0, 10)).total).toBe(TEXT.length);
  expect(next.bytes).toBe(TEXT.length);
  next.release("job1");
  await until(async () => (await readdir(folder)).length === 0);
  await next.close();
});

it("reads nothing but outputs", async () => {
  const { files, folder } = await openOutputs();
  await spool(files, TEXT);
  await writeFile(join(folder, "..", "secret"), "secret");
  for (const name of ["../secret", "", ".", "f".repeat(64), "__proto__"]) {
    await expect(files.read(name, 0, 10)).rejects.toMatchObject({ reason: "not-found" });
  }
});

it("tells of a file that was cut or removed, also before this process, and whose it was", async () => {
  const { files, folder } = await openOutputs();
  const output = await spool(files, TEXT);
  const { sha256 } = output;
  const file = join(folder, nameOf(output));
  await files.close();
  await truncate(file, 10);
  const next = await OutputFiles.open(folder);
  next.inherit([{ jobId: "web-command-run-1", sha256: [sha256] }]);
  const cut = await next.read(sha256, 0, 20).catch((error: unknown) => error);
  expect(cut).toMatchObject({ reason: "bad-data" });
  expect(String(cut)).toContain(
    `of job web-command-run-1 is damaged: its file ${file} on ${hostname()} has been cut to 10 of ${TEXT.length} bytes.`,
  );
  await rm(file);
  const missing = await next.read(sha256, 0, 20).catch((error: unknown) => error);
  expect(missing).toMatchObject({
    reason: "bad-data",
    nextStep:
      "Restore that file from a backup, or call the method again where you need its output.",
  });
  expect(String(missing)).toMatch(/is missing\.$/);
  await rm(folder, { recursive: true });
  const other = await spool(next, "other");
  expect((await next.read(other.sha256, 0, 20)).bytes.toString()).toBe("other");
  await next.close();
});

it("heals a file that was cut or removed, when the output comes again", async () => {
  const { files, folder } = await openOutputs();
  const output = await spool(files, TEXT);
  const { sha256 } = output;
  const file = join(folder, nameOf(output));
  expect(files.hold("job1", sha256)).toBe(true);
  for (const damage of [() => rm(file), () => truncate(file, 5)]) {
    await damage();
    await spool(files, TEXT);
    const { bytes } = await files.read(sha256, 0, TEXT.length);
    expect(bytes.equals(TEXT)).toBe(true);
    expect(files.bytes).toBe(TEXT.length);
  }
});

it("makes room by letting go of what is held, and else fails loudly", async () => {
  const { files, folder } = await openOutputs({ maxBytes: 1_000 });
  const { sha256 } = await spool(files, Buffer.alloc(600, 1));
  files.hold("old", sha256);
  const holders = ["old"];
  files.onFull(() => {
    const oldest = holders.pop();
    if (oldest !== undefined) files.release(oldest);
    return oldest !== undefined;
  });
  await spool(files, Buffer.alloc(600, 2));
  await expect(files.read(sha256, 0, 1)).rejects.toMatchObject({ reason: "not-found" });
  const problem = await spool(files, Buffer.alloc(600, 3)).catch((error: unknown) => error);
  expect(problem).toMatchObject({
    reason: "unavailable",
    message: expect.stringContaining(folder) as string,
    nextStep: expect.stringMatching(/room/) as string,
  });
  await until(async () => (await readdir(folder)).length === 1);
  expect(files.bytes).toBe(600);
});

it("says what is in the way where the folder cannot be made, and what to do", async () => {
  const { files, folder } = await openOutputs();
  for (const [obstacle, what] of [
    [() => writeFile(folder, ""), "a file"],
    [() => symlink("/dev/null", folder), "a link to /dev/null, which is no folder"],
    [() => symlink("/no/such/disk", folder), "a link to /no/such/disk, which is not there"],
  ] as const) {
    await obstacle();
    const problem = await spool(files, TEXT).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(FuncError);
    const { message, nextStep } = problem as FuncError;
    expect(message).toBe(
      `The call has run, but its output could not be kept: ${folder} should be a folder, and is ${what}.`,
    );
    expect(nextStep).toBe(
      `Remove ${folder}: the next large output makes it anew. Look at the host before you call again.`,
    );
    await rm(folder);
    await spool(files, TEXT);
    await rm(folder, { recursive: true });
  }
});

/** A folder that takes little; one that can be none where this user may not mount. */
async function smallDisk(): Promise<{ folder: string; cause: string }> {
  const home = await mkdtemp(join(tmpdir(), "func-disk-"));
  const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=512k", "func", home]).then(
    () => true,
    () => false,
  );
  onTestFinished(async () => {
    if (mounted) await run("umount", ["-l", home]);
    await rm(home, { recursive: true, force: true });
  });
  if (mounted) return { folder: join(home, "spool"), cause: "ENOSPC" };
  await writeFile(join(home, "file"), "");
  return { folder: join(home, "file", "spool"), cause: "ENOTDIR" };
}

it("says that the call has run where the disk is full, and goes on", async () => {
  const { folder, cause } = await smallDisk();
  const files = await OutputFiles.open(folder);
  const content = Buffer.alloc(900_000, 7);
  const problem = await spool(files, content).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(FuncError);
  expect(problem).toMatchObject({
    reason: "unavailable",
    message: expect.stringMatching(
      /^The call has run, but its output could not be kept in /,
    ) as string,
  });
  expect(String(problem)).toContain(folder);
  expect(String(problem)).toContain(cause);
  expect(files.bytes).toBe(0);
  if (cause === "ENOSPC") {
    expect(await readdir(folder)).toEqual([]);
    expect((await spool(files, content.subarray(0, 300_000))).bytes).toBe(300_000);
  }
  await files.close();
});
