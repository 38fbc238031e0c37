import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";

/** A fuzzer is of no use that has long stopped to work: a short run each time. */
describe("npm run fuzz", () => {
  it("finds nothing in twenty seconds, on the parts and on a real funcd and overlord", async () => {
    const { code, out } = await new Promise<{ code: number | null; out: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        ["scripts/fuzz.mjs", "--seconds", "20"],
        (_error, stdout, stderr) => {
          resolve({ code: child.exitCode, out: stdout + stderr });
        },
      );
    });
    expect(out).toContain("0 findings");
    expect(out).toContain("live answers");
    expect(code).toBe(0);
  });
});
