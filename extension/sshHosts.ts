import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A host of the user's SSH configuration. */
export interface SshHost {
  name: string;
  /** HostName, where it is given. */
  address?: string;
}

const MAX_BYTES = 1024 * 1024;
const MAX_HOSTS = 2_000;

/** The hosts of ~/.ssh/config that are named without wildcards; empty where there is no such file. */
export async function sshHosts(): Promise<SshHost[]> {
  return parseSshHosts(await headOf(join(homedir(), ".ssh", "config")));
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
        for (const host of current) if (hosts.size < MAX_HOSTS) hosts.set(host.name, host);
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
