import { FuncError } from "../common/errors";

/** One line of a groups file. What is no header and no hosts is kept as it stands. */
type Line =
  | { kind: "header"; group: string; text: string }
  | { kind: "hosts"; group: string; hosts: string[]; text: string }
  | { kind: "other"; text: string };

const HEADER = /^\[([^\]]*)\]\s*(?:[#;].*)?$/;
const OPTION = /^\s*([^=:\s]+)\s*[=:](.*)$/;
const GROUP = /^[a-z0-9_][a-z0-9_.-]{0,99}$/;
/** What follows an "@" are the sub-overlords before the host. */
const ENTRY = /^(?=.{1,253}$)[a-z0-9_.*?[\]!-]+(?:@[a-z0-9_.*?[\]!/-]+)?$/;
const MAX_QUOTED = 80;

/**
 * The text of a groups file, as the original writes it: `[group]`, then `host = a, b;c`, where each host
 * is a name or a glob. Lines that begin with "#" or ";" are comments; an edit keeps them and every line
 * that it does not change.
 */
export class GroupsText {
  private constructor(private readonly lines: Line[]) {}

  /** Throws FuncError "bad-data" naming `file` and the line: no part of it is ever left out. */
  static parse(text: string, file: string): GroupsText {
    const lines: Line[] = [];
    let group: string | undefined;
    let continues = false;
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      const read = readLine(line, group, continues, (problem) => wrong(file, index + 1, problem));
      lines.push(read);
      if (read.kind === "header") group = read.group;
      continues = read.kind === "hosts" || (continues && read.text.trim() !== "");
    }
    if (lines.at(-1)?.text === "") lines.pop(); // what follows the last newline
    return new GroupsText(lines);
  }

  /** Groups by name in lower case, each with its hosts in the order of the file, each once. */
  groups(): Map<string, string[]> {
    const found = new Map<string, Set<string>>();
    for (const line of this.lines) {
      if (line.kind === "other") continue;
      const hosts = found.get(line.group) ?? new Set();
      if (line.kind === "hosts") for (const host of line.hosts) hosts.add(host);
      found.set(line.group, hosts);
    }
    return new Map([...found].map(([name, hosts]) => [name, [...hosts]]));
  }

  /** Adds hosts to a group, which is made where it is missing; those in it already stay as they are. */
  add(group: string, hosts: readonly string[]): void {
    const there = this.groups().get(group);
    if (!there) {
      if (this.lines.length > 0 && this.lines.at(-1)?.text !== "") this.lines.push(blank());
      this.lines.push({ kind: "header", group, text: `[${group}]` });
      this.lines.push(hostsLine(group, [...new Set(hosts)]));
      return;
    }
    const known = new Set(there);
    const missing = [...new Set(hosts)].filter((host) => !known.has(host));
    if (missing.length === 0) return;
    const at = this.lines.findLastIndex((line) => line.kind === "hosts" && line.group === group);
    const last = this.lines[at];
    if (last?.kind === "hosts") {
      this.lines[at] = hostsLine(group, [...last.hosts, ...missing]);
    } else {
      const header = this.lines.findIndex((line) => line.kind === "header" && line.group === group);
      this.lines.splice(header + 1, 0, hostsLine(group, missing));
    }
  }

  /** Takes hosts out of a group; the group stays, also where it is empty then. */
  remove(group: string, hosts: ReadonlySet<string>): void {
    for (const [index, line] of this.lines.entries()) {
      if (line.kind !== "hosts" || line.group !== group) continue;
      const left = line.hosts.filter((host) => !hosts.has(host));
      if (left.length < line.hosts.length) this.lines[index] = hostsLine(group, left);
    }
  }

  /** Takes a group out with all its sections. Comments before and after a section stay. */
  delete(group: string): void {
    let header = this.indexOfHeader(group);
    while (header >= 0) {
      let end = header + 1;
      for (let at = end; at < this.lines.length && this.lines[at]?.kind !== "header"; at++) {
        if (this.lines[at]?.kind === "hosts") end = at + 1;
      }
      if (this.lines[end]?.text === "") end++;
      this.lines.splice(header, end - header);
      header = this.indexOfHeader(group);
    }
  }

  /** With the names of groups in lower case. */
  toString(): string {
    return this.lines
      .map((line) =>
        line.kind === "header" ? line.text.replace(/\[[^\]]*\]/, `[${line.group}]`) : line.text,
      )
      .map((text) => `${text}\n`)
      .join("");
  }

  private indexOfHeader(group: string): number {
    return this.lines.findIndex((line) => line.kind === "header" && line.group === group);
  }
}

/** The name of a group in lower case. Throws FuncError "bad-argument". */
export function parseGroupName(name: string): string {
  const lower = name.trim().toLowerCase();
  if (GROUP.test(lower)) return lower;
  throw new FuncError("bad-argument", `${badGroup(name)}.`);
}

/** Hosts and globs in lower case, where one text may hold several ("a,b;c"). Throws FuncError "bad-argument". */
export function parseHosts(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    splitHosts(text).map((host) => {
      if (ENTRY.test(host)) return host;
      throw new FuncError("bad-argument", `${badHost(host)}.`);
    }),
  );
}

function readLine(
  text: string,
  group: string | undefined,
  continues: boolean,
  problem: (what: string) => FuncError,
): Line {
  if (/^\s*(?:[#;].*)?$/.test(text)) return { kind: "other", text };
  const header = HEADER.exec(text)?.[1];
  if (header !== undefined) {
    const name = header.trim().toLowerCase();
    if (!GROUP.test(name)) throw problem(badGroup(header));
    return { kind: "header", group: name, text };
  }
  const option = OPTION.exec(text);
  // as in the original's format, an indented line goes on with the hosts above it
  const value = option ? option[2] : continues && /^\s/.test(text) ? text : undefined;
  if (value === undefined)
    throw problem(
      `expected [GROUP] at the beginning of a line, or "host = ...", not "${quoted(text)}"`,
    );
  const name = option?.[1] ?? "host";
  if (name.toLowerCase() !== "host") {
    throw problem(`a group has "host = ..." only, not "${quoted(name)}"`);
  }
  if (group === undefined) throw problem("hosts stand before the first [GROUP]");
  const hosts = splitHosts(value);
  const bad = hosts.find((host) => !ENTRY.test(host));
  if (bad !== undefined) throw problem(badHost(bad));
  return { kind: "hosts", group, hosts, text };
}

function splitHosts(text: string): string[] {
  return text
    .split(/[,;]/)
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== "");
}

function hostsLine(group: string, hosts: string[]): Line {
  return { kind: "hosts", group, hosts, text: `host = ${hosts.join(", ")}`.trimEnd() };
}

function blank(): Line {
  return { kind: "other", text: "" };
}

function badGroup(name: string): string {
  return `"${quoted(name)}" is no name of a group: use letters, digits, "_", and "-" and "." not at its beginning (at most 100)`;
}

function badHost(host: string): string {
  return `"${quoted(host)}" is no host name or glob; hosts are separated by "," or ";", comments have lines of their own`;
}

function quoted(text: string): string {
  return text
    .trim()
    .slice(0, MAX_QUOTED)
    .replace(/[^\x20-\x7e]/g, "?");
}

function wrong(file: string, line: number, problem: string): FuncError {
  return new FuncError(
    "bad-data",
    `${file}:${line}: ${problem}.`,
    `Correct line ${line} of ${file}.`,
  );
}
