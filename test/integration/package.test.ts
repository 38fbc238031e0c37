import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const MAX_BYTES = 2_000_000;

let folder: string;
let vsix: Buffer;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "package-"));
  const file = join(folder, "test.vsix");
  execFileSync(process.execPath, [join(root, "scripts", "package.mjs"), file], { stdio: "pipe" });
  vsix = readFileSync(file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the extension ships these files and no others", () => {
  expect(zipEntries(vsix).sort()).toEqual([
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/changelog.md",
    "extension/dist/client.d.ts",
    "extension/dist/client.js",
    "extension/dist/copyDiagnostics.js",
    "extension/dist/exportJob.js",
    "extension/dist/extension.js",
    "extension/dist/func.js",
    "extension/dist/funcd.js",
    "extension/dist/mapFiles.js",
    "extension/dist/mapPanels.js",
    "extension/dist/overlord.js",
    "extension/dist/overlordClient.js",
    "extension/dist/searchJobs.js",
    "extension/dist/sql-wasm.wasm",
    "extension/dist/store.js",
    "extension/dist/webview/map.css",
    "extension/dist/webview/map.js",
    "extension/dist/webview/results.css",
    "extension/dist/webview/results.js",
    "extension/media/func.svg",
    "extension/media/icon.png",
    "extension/media/map-dark.svg",
    "extension/media/map-light.svg",
    "extension/media/results-dark.svg",
    "extension/media/results-light.svg",
    "extension/media/walkthrough/groups-dark.png",
    "extension/media/walkthrough/groups-light.png",
    "extension/media/walkthrough/map-dark.png",
    "extension/media/walkthrough/map-light.png",
    "extension/media/walkthrough/results-dark.png",
    "extension/media/walkthrough/results-light.png",
    "extension/media/walkthrough/targets-dark.png",
    "extension/media/walkthrough/targets-light.png",
    "extension/media/walkthrough/terminal-dark.png",
    "extension/media/walkthrough/terminal-light.png",
    "extension/media/walkthrough/token-dark.png",
    "extension/media/walkthrough/token-light.png",
    "extension/media/walkthrough/tree-dark.png",
    "extension/media/walkthrough/tree-light.png",
    "extension/package.json",
    "extension/readme.md",
  ]);
});

test("the extension is small", () => {
  expect(vsix.length).toBeLessThan(MAX_BYTES);
});

/** The names in a zip file's central directory. */
function zipEntries(zip: Buffer): string[] {
  const END = Buffer.from("PK\x05\x06", "latin1");
  const end = zip.lastIndexOf(END);
  const names: string[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    names.push(zip.toString("utf8", at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}
