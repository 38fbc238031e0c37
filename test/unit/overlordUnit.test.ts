import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { overlordUnit } from "../../server/cli/overlordUnit";

const PARAMS = {
  node: process.execPath,
  script: "/srv/func data/service/overlord.js",
  dataDirectory: '/srv/func data/50% "$HOME"\\x',
};

it("takes every path for what it is", () => {
  const unit = overlordUnit({ scope: "user", ...PARAMS });
  expect(unit).toContain(
    `"/srv/func data/service/overlord.js" "--home" "/srv/func data/50%% \\"$$HOME\\"\\\\x" "--stay"`,
  );
});

it.each(["system", "user"] as const)("systemd accepts the unit of the %s", (scope) => {
  const folder = mkdtempSync(join(tmpdir(), "func-unit-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, "func-overlord.service");
  writeFileSync(file, overlordUnit({ scope, ...PARAMS, script: process.execPath }));
  // any complaint at all, and not only those that make it fail
  const { stdout, stderr, status } = spawnSync(
    "systemd-analyze",
    ["verify", "--man=no", `--${scope}`, file],
    { encoding: "utf8", env: { ...process.env, XDG_RUNTIME_DIR: folder } },
  );
  expect(`${stdout}${stderr}`).toBe("");
  expect(status).toBe(0);
});
