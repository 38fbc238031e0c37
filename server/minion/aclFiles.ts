import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../common/errors";
import { AclProblem, type AclRule } from "./aclRule";
import { parseConfiguration, type AccessPresets } from "./configuration";
import { parseOriginalAcl } from "./originalAcl";
import { parseYamlAcl } from "./yamlAcl";

export const MAX_ACL_BYTES = 1024 * 1024;
export const MAX_ACL_FILES = 1_000;
/** All together: they are read anew as a whole, while calls wait. */
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;

/** The access rules of a minion as they stand on the disk. */
export interface AccessFiles {
  /** True where there is a folder `acls`: operators then have what rules and presets give them. */
  folder: boolean;
  rules: PlacedRule[];
  /** From `minion.yaml`; undefined where that is missing or empty. */
  presets: AccessPresets | undefined;
  /** Whether `minion.yaml` sets presets (or may, where it cannot be read), or says nothing at all. */
  configuration: "missing" | "plain" | "presets";
  /** Everything about the files that changes with them. */
  signature: string;
  /** The youngest change, in ms. */
  changedAtMs: number;
  /** What is wrong, with file and line: nothing may be concluded from the rest then. */
  problem?: string;
}

/** A rule, and the file that it stands in. */
export interface PlacedRule extends AclRule {
  file: string;
}

/** What the rules are read from. */
export interface AccessPlaces {
  /** Holds `acls/` and `minion.yaml`. */
  home: string;
  /** Who may own the files, besides root; by default the user of this process. */
  owner?: number;
}

/** What the files look like from outside, without reading them. Never throws. */
export function accessSignature(places: AccessPlaces): string {
  return look(places).signature;
}

/** Reads all of them. Never throws: see `problem`. */
export function readAccessFiles(places: AccessPlaces): AccessFiles {
  const { signature, changedAtMs, names } = look(places);
  const files: AccessFiles = {
    folder: names !== undefined,
    rules: [],
    presets: undefined,
    configuration: "presets",
    signature,
    changedAtMs,
  };
  let file = join(places.home, "minion.yaml");
  try {
    files.presets = presetsOf(readChecked(file, places));
    files.configuration = stateOf(files.presets);
    file = foldersPath(places);
    if (names instanceof Error) throw names;
    if (names !== undefined) checkStats(statSync(file, { bigint: true }), places);
    if (names !== undefined && names.length > MAX_ACL_FILES) {
      throw new AclProblem(0, `holds more than ${MAX_ACL_FILES} files`);
    }
    let total = 0;
    for (const name of names ?? []) {
      file = join(foldersPath(places), name);
      const text = readChecked(file, places) ?? "";
      total += text.length;
      if (total > MAX_TOTAL_BYTES) {
        throw new AclProblem(0, `the files are larger than ${MAX_TOTAL_BYTES} bytes together`);
      }
      const rules = isYaml(name) ? parseYamlAcl(text) : parseOriginalAcl(text);
      for (const rule of rules) files.rules.push({ ...rule, file });
    }
    return files;
  } catch (error) {
    const line = error instanceof AclProblem && error.line > 0 ? `:${error.line}` : "";
    return { ...files, rules: [], problem: `${file}${line}: ${messageOf(error)}` };
  }
}

interface Look {
  signature: string;
  changedAtMs: number;
  /** Undefined where there is no folder; an Error where it cannot be read. */
  names: string[] | Error | undefined;
}

function look(places: AccessPlaces): Look {
  const folder = foldersPath(places);
  let names: Look["names"];
  try {
    names = readdirSync(folder).filter(isAclFile).sort();
  } catch (error) {
    names = unlessMissing(folder, error);
  }
  const several = Array.isArray(names) ? names.slice(0, MAX_ACL_FILES + 1) : [];
  let changedAtMs = 0;
  const parts = [
    join(places.home, "minion.yaml"),
    folder,
    ...several.map((name) => join(folder, name)),
  ].map((file) => {
    try {
      const { ino, size, mode, uid, mtimeNs, ctimeNs, ctimeMs } = statSync(file, { bigint: true });
      changedAtMs = Math.max(changedAtMs, Number(ctimeMs));
      return `${file} ${ino} ${size} ${mode} ${uid} ${mtimeNs} ${ctimeNs}`;
    } catch (error) {
      return `${file} ${messageOf(unlessMissing(file, error) ?? "")}`;
    }
  });
  return { signature: parts.join("\n"), changedAtMs, names };
}

function foldersPath({ home }: AccessPlaces): string {
  return join(home, "acls");
}

function isAclFile(name: string): boolean {
  return !name.startsWith(".") && (name.endsWith(".acl") || isYaml(name));
}

function isYaml(name: string): boolean {
  return name.endsWith(".acl.yaml");
}

function presetsOf(text = ""): AccessPresets | undefined {
  const configuration = parseConfiguration(text, (line, what) => {
    throw new AclProblem(line ?? 0, what);
  });
  return Object.keys(configuration).length === 0 ? undefined : (configuration.access ?? {});
}

function stateOf(presets: AccessPresets | undefined): AccessFiles["configuration"] {
  if (presets === undefined) return "missing";
  return Object.keys(presets).length === 0 ? "plain" : "presets";
}

/** Undefined where nothing is there; a link whose target is away is there, and wrong. */
function unlessMissing(path: string, error: unknown): Error | undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
    return error instanceof Error ? error : new Error(String(error));
  }
  try {
    return new AclProblem(0, `is a link to ${readlinkSync(path)}, which is not there`);
  } catch {
    return undefined;
  }
}

/** The text of a file that only its owner can have written; undefined where there is none. Throws. */
function readChecked(file: string, places: AccessPlaces): string | undefined {
  let handle: number;
  try {
    // a pipe in its place must not hold up everything
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const problem = unlessMissing(file, error);
    if (problem === undefined) return undefined;
    throw problem;
  }
  try {
    const stats = fstatSync(handle, { bigint: true });
    if (!stats.isFile()) throw new AclProblem(0, "is no file");
    checkStats(stats, places);
    if (stats.size > MAX_ACL_BYTES) {
      throw new AclProblem(0, `is larger than ${MAX_ACL_BYTES} bytes`);
    }
    const buffer = Buffer.alloc(Number(stats.size));
    let bytes = 0;
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) {
      read = readSync(handle, buffer, bytes, buffer.length - bytes, bytes);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, bytes));
  } finally {
    closeSync(handle);
  }
}

function checkStats(
  { mode, uid }: BigIntStats,
  { owner = process.getuid?.() }: AccessPlaces,
): void {
  if (owner === undefined) return; // no such thing on this system
  if ((mode & 0o002n) !== 0n) throw new AclProblem(0, "can be written by everybody: chmod o-w");
  if (uid !== 0n && uid !== BigInt(owner)) {
    throw new AclProblem(0, `belongs to another user (${uid}): chown it to ${owner}`);
  }
}
