import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { clientTypes } from "../../scripts/clientTypes.mjs";
import * as client from "../../server/client/library/client";

const root = join(import.meta.dirname, "..", "..");
const types = clientTypes(join(root, "server/client/library/client.ts"));
const sample = readFileSync(join(root, "test/fixtures/clientTypes.txt"), "utf8");

/** The language's own files, which all programs share. */
const libraries = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of a program that imports the generated types from "func-overlord/client". */
function problems(source: string, options: ts.CompilerOptions): string[] {
  const files = new Map([
    ["/sample.ts", source],
    ["/client.d.ts", types],
  ]);
  const settings: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noEmit: true,
    types: [],
    skipDefaultLibCheck: true,
    paths: { "func-overlord/client": ["/client.d.ts"] },
    ...options,
  };
  const host = ts.createCompilerHost(settings);
  const disk = { ...host };
  host.fileExists = (name) => files.has(name) || disk.fileExists(name);
  host.readFile = (name) => files.get(name) ?? disk.readFile(name);
  host.getSourceFile = (name, version) => {
    const text = files.get(name);
    if (text !== undefined) return ts.createSourceFile(name, text, version);
    if (!libraries.has(name)) libraries.set(name, disk.getSourceFile(name, version));
    return libraries.get(name);
  };
  return ts
    .getPreEmitDiagnostics(ts.createProgram(["/sample.ts"], settings, host))
    .map(({ file, start, messageText }) => {
      const line =
        file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${file?.fileName ?? ""}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
}

it.each([
  ["strict", {}],
  [
    "as strict as the compiler can be",
    {
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noImplicitOverride: true,
      verbatimModuleSyntax: true,
    },
  ],
])("the types of the programming interface serve programs that are %s", (_, options) => {
  expect(problems(sample, options)).toEqual([]);
});

it("modules of any name need no mark without noUncheckedIndexedAccess", () => {
  const source = sample.replaceAll(/([a-z])!/g, "$1");
  expect(source).toContain("o.module_name.method_name(1, 2, 3, 4)");
  expect(problems(source, {})).toEqual([]);
  expect(problems(source, { noUncheckedIndexedAccess: true })).not.toEqual([]);
});

it("the types export what the bundle does", () => {
  const values = [...types.matchAll(/^export declare (?:const|class|function) (\w+)/gm)];
  expect(values.map(([, name]) => name).sort()).toEqual(Object.keys(client).sort());
  expect(types).not.toMatch(/: any\b|<any\b|\bany\[\]/);
});

it("everything that is exported is explained", () => {
  const undocumented = [
    ...types.matchAll(
      /(?<!\*\/\n)^export (?:declare )?(?:const|class|function|interface|type) (\w+)/gm,
    ),
  ];
  expect(undocumented.map(([, name]) => name)).toEqual([]);
});
