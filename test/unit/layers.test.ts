import { ESLint } from "eslint";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const RULE = "@typescript-eslint/no-restricted-imports";

/** The linter as configured, reduced to the one rule, which needs no type information: fast. */
const eslint = new ESLint({
  cwd: root,
  ruleFilter: ({ ruleId }) => ruleId === RULE,
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
});

/** The rule's complaints about a file that holds just this import. */
async function complaints(file: string, imported: string, form = "import"): Promise<string[]> {
  const source = `${form} { thing } from "${imported}";\nexport const used = thing;\n`;
  const [report] = await eslint.lintText(source, { filePath: join(root, file) });
  return (report?.messages ?? []).map(({ message }) => message);
}

describe("the direction of imports", () => {
  test.each([
    ["server/wire/sample.ts", "../pki/certificates/identity"],
    ["server/pki/certificates/sample.ts", "../authority/signing"],
    ["server/pki/enrolment/sample.ts", "../certmaster/tokenBook"],
    ["server/pki/certmaster/sample.ts", "../../overlord/main"],
    ["server/common/sample.ts", "../protocol/jobs"],
    ["server/client/sample.ts", "../wire/value"],
    ["server/targets/sample.ts", "../calls/fanOut"],
    ["server/overlord/sample.ts", "../minion/minion"],
    ["server/minion/modules/sample.ts", "../../overlord/main"],
    ["server/cli/sample.ts", "../../extension/extension"],
    ["server/jobs/sample.ts", "vscode"],
    ["extension/commands/sample.ts", "../../server/wire/value"],
    ["extension/views/sample.ts", "../../server/jobs/engine"],
    ["extension/extension.ts", "vscode-languageclient/node"],
    ["extension/extension.ts", "./overlordClient"],
    ["extension/commands/sample.ts", "../overlordClient"],
    ["media/results/sample.ts", "../../server/common/errors"],
    ["media/results/sample.ts", "../../server/protocol/jobs"],
    ["media/results/sample.ts", "../../extension/extension"],
    ["media/results/sample.ts", "node:fs"],
    ["test/unit/sample.ts", "vscode"],
  ])("%s may not import %s", async (file, imported) => {
    expect(await complaints(file, imported)).toHaveLength(1);
  });

  test.each([
    ["server/pki/enrolment/sample.ts", "../../wire/wireClient", "import"],
    ["server/pki/certmaster/sample.ts", "../authority/signing", "import"],
    ["server/minion/modules/sample.ts", "../job", "import"],
    ["server/overlord/sample.ts", "../jobs/engine", "import"],
    ["server/jobs/sample.ts", "./store", "import"],
    ["extension/commands/sample.ts", "vscode", "import"],
    ["extension/commands/sample.ts", "../../server/protocol/jobs", "import"],
    ["extension/commands/sample.ts", "../overlordClient", "import type"],
    ["extension/overlordClient.ts", "vscode-languageclient/node", "import"],
    ["media/results/sample.ts", "../../server/protocol/jobs", "import type"],
    ["media/results/sample.ts", "../../extension/webviews/resultsProtocol", "import"],
    ["test/integration/sample.ts", "../../server/overlord/main", "import"],
  ])("%s may import %s", async (file, imported, form) => {
    expect(await complaints(file, imported, form)).toEqual([]);
  });
});
