import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const shared = { define: { __VERSION__: JSON.stringify(version) } };

export default defineConfig({
  test: {
    projects: [
      { ...shared, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        ...shared,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // real processes: more files at a time only fight for the cores
          maxWorkers: 2,
        },
      },
    ],
  },
});
