import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";

/** A host of the user's SSH configuration. */
export interface SshHost {
  name: string;
  /** HostName, where it is given. */
  address?: string;
}

const MAX_HOSTS = 2_000;
const MAX_FILES = 100;
const MAX_FILE_BYTES = 1_000_000;
/** As ssh has it. */
const MAX_DEPTH = 16;
const LINE = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/;
const WORD = /"([^"]*)"|([^\s"#]+)/g;

interface Reading {
  folder: string;
  hosts: Map<string, SshHost>;
  files: number;
}

/**
 * The hosts that the user's SSH configuration (`<home>/.ssh/config` and what it includes) names without wildcards,
 * in its order, to be offered: ssh itself decides what they mean. What cannot be read is left out; never throws.
 */
export async function sshHosts(home = homedir()): Promise<SshHost[]> {
  const reading: Reading = { folder: join(home, ".ssh"), hosts: new Map(), files: 0 };
  await readInto(reading, join(reading.folder, "config"), 0);
  return [...reading.hosts.values()];
}

async function readInto(reading: Reading, file: string, depth: number): Promise<void> {
  if (depth > MAX_DEPTH || reading.files >= MAX_FILES) return;
  reading.files++;
  let current: SshHost[] = [];
  for (const line of (await textOf(file)).split("\n")) {
    const [, keyword = "", rest = ""] = LINE.exec(line) ?? [];
    const words = wordsOf(rest);
    switch (keyword.toLowerCase()) {
      case "host":
        current = words.flatMap((name) => hostOf(reading, name));
        break;
      case "match":
        current = [];
        break;
      case "hostname":
        // ssh takes the first value that it finds
        for (const host of current) host.address ??= words[0];
        break;
      case "include":
        for (const pattern of words) {
          for (const included of await filesOf(reading.folder, pattern)) {
            await readInto(reading, included, depth + 1);
          }
        }
    }
  }
}

function hostOf({ hosts }: Reading, name: string): SshHost[] {
  if (/[*?!]/.test(name)) return [];
  const known = hosts.get(name);
  if (known) return [known];
  if (hosts.size >= MAX_HOSTS) return [];
  const host: SshHost = { name };
  hosts.set(name, host);
  return [host];
}

/** Words of a line, quoted or not, up to a comment. */
function wordsOf(text: string): string[] {
  const comment = text.search(/(?:^|\s)#/);
  const line = comment < 0 ? text : text.slice(0, comment);
  return [...line.matchAll(WORD)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** The files that an Include means; wildcards count in the last part of a path. */
async function filesOf(folder: string, pattern: string): Promise<string[]> {
  const path = pattern.replace(/^~(?=\/)/, dirname(folder));
  const full = isAbsolute(path) ? path : join(folder, path);
  const last = basename(full);
  if (!/[*?]/.test(last)) return [full];
  const glob = new RegExp(
    `^${last
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
  const names = await readdir(dirname(full)).catch(() => []);
  return names
    .filter((name) => glob.test(name) && !name.startsWith("."))
    .sort()
    .map((name) => join(dirname(full), name));
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file).then((found) =>
      found.isFile() ? found : { size: Infinity },
    );
    return size <= MAX_FILE_BYTES ? await readFile(file, "utf8") : "";
  } catch {
    return "";
  }
}
