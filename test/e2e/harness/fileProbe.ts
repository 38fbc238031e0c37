import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packProbe } from "./probeExtension";
import { waitUntil } from "./processes";
import type { Workbench } from "./workbench";

/** What another extension sees of a file. */
export interface ProbedFile {
  /** As `workspace.fs.stat` says. */
  size: number;
  readonly: boolean;
  /** Of what `workspace.fs.readFile` gives. */
  bytes: number;
  sha256: string;
}

const TITLE = "Probe a File";
const QUESTION = "Which file?";

/** Packs, in `folder`, an extension that reads files by VS Code's API for extensions; gives the file of it. */
export function packFileProbe(folder: string): Promise<string> {
  const commands = [{ command: "probe.file", title: TITLE }];
  return packProbe(folder, { name: "file-probe", commands, main: MAIN });
}

/** Lets that extension read `uri`; `folder` is for the answer. */
export async function probeFile(
  workbench: Workbench,
  uri: string,
  folder: string,
): Promise<ProbedFile> {
  const answer = join(folder, "probed.json");
  rmSync(answer, { force: true });
  await workbench.palette(`Probe: ${TITLE}`);
  await workbench.quickInput.locator(".quick-input-title").getByText(QUESTION).waitFor();
  await workbench.type(JSON.stringify({ uri, answer }));
  let found: ProbedFile | { error: string } | undefined;
  await waitUntil(`the probe of ${uri}`, () => (found = readAnswer(answer)) !== undefined, 60_000);
  if (!found || "error" in found) throw new Error(`The probe failed: ${found?.error ?? ""}`);
  return found;
}

function readAnswer(file: string): ProbedFile | { error: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProbedFile | { error: string };
  } catch {
    return undefined; // not there yet, or half of it
  }
}

const MAIN = `
const { commands, window, workspace, Uri, FilePermission } = require("vscode");
const { createHash } = require("node:crypto");
const { writeFileSync } = require("node:fs");

async function probe({ uri }) {
  const stat = await workspace.fs.stat(Uri.parse(uri, true));
  const content = await workspace.fs.readFile(Uri.parse(uri, true));
  return {
    size: stat.size,
    readonly: stat.permissions === FilePermission.Readonly,
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  };
}

exports.activate = (context) => {
  context.subscriptions.push(
    commands.registerCommand("probe.file", async () => {
      const asked = JSON.parse(await window.showInputBox({ title: "${QUESTION}" }));
      const found = await probe(asked).catch((error) => ({ error: String(error) }));
      writeFileSync(asked.answer, JSON.stringify(found));
    }),
  );
};
`;
