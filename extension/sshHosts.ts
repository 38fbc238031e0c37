import { open, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** A host of the user's SSH configuration. */
export interface SshHost {
  name: string;
  /** HostName, where it is given. */
  address?: string;
}

const MAX_BYTES = 1024 * 1024;
const MAX_HOSTS = 2_000;
const MAX_FILES = 100;

/** The hosts of ~/.ssh/config and the files it includes that are named without wildcards; none where there is no such file. */
export async function sshHosts(home = homedir()): Promise<SshHost[]> {
  const folder = join(home, ".ssh");
  const waiting = [join(folder, "config")];
  const seen = new Set<string>();
  const hosts = new Map<string, SshHost>();
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (seen.has(file) || seen.size >= MAX_FILES) continue;
    seen.add(file);
    const text = await headOf(file);
    for (const host of parseSshHosts(text)) {
      if (hosts.size < MAX_HOSTS && !hosts.has(host.name)) hosts.set(host.name, host);
    }
    for (const [, patterns = ""] of text.matchAll(/^\s*include(?:\s*=\s*|\s+)([^#\n]*)/gim)) {
      for (const pattern of patterns.trim().split(/\s+/)) {
        const path = pattern.replaceAll('"', "").replace(/^~(?=\/)/, home);
        waiting.push(...(await filesOf(resolve(folder, path))));
      }
    }
  }
  return [...hosts.values()];
}

/** The hosts that the text of an SSH configuration names, in its order. */
export function parseSshHosts(text: string): SshHost[] {
  const hosts = new Map<string, SshHost>();
  let current: SshHost[] = [];
  for (const line of text.split("\n")) {
    const [, keyword = "", value = ""] = /^\s*(\w+)(?:\s*=\s*|\s+)"?([^"#]*)/.exec(line) ?? [];
    switch (keyword.toLowerCase()) {
      case "host":
        current = value
          .trim()
          .split(/\s+/)
          .filter((name) => name !== "" && !/[*?!]/.test(name))
          .map((name) => hosts.get(name) ?? { name });
        for (const host of current) hosts.set(host.name, host);
        break;
      case "match":
        current = [];
        break;
      case "hostname":
        // ssh takes the first value that it finds
        for (const host of current) host.address ??= value.trim();
        break;
    }
  }
  return [...hosts.values()];
}

/** A path with "*" and "?" in its last part, as Include takes it. */
async function filesOf(pattern: string): Promise<string[]> {
  if (!/[*?]/.test(pattern)) return [pattern];
  const form = basename(pattern)
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const folder = dirname(pattern);
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => !name.startsWith(".") && new RegExp(`^${form}$`).test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Empty where there is no such file. */
async function headOf(file: string): Promise<string> {
  let handle;
  try {
    handle = await open(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
