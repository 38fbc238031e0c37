import { looksSecret } from "../secretText";

/** What must not be read in diagnostics. */
export interface Private {
  /** The user's home directory. */
  home: string;
  user: string;
  /** Names of this machine. */
  hosts: readonly string[];
  minions: readonly { name: string; address: string }[];
}

const PEM = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g;
const JOIN_TOKEN = /func-join-[A-Za-z0-9_-]*/g;
const IPV4 = /(?<![\d.])(?!127\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)/g;
// with "::", or all eight groups: a time of day has three
const IPV6 =
  /(?<![\w:.])(?!::1(?![\w:]))(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}|(?:[0-9a-f]{1,4}:){1,7}:)(?![\w:])/gi;

/** Replaces names and addresses by the same stand-ins throughout, and takes secrets out. */
export class Pseudonyms {
  private readonly standIns = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  constructor(private readonly hidden: Private) {}

  /** `text` as anybody may read it. */
  apply(text: string): string {
    const { home, user, hosts, minions } = this.hidden;
    let out = text.replace(PEM, "[PEM removed]").replace(JOIN_TOKEN, "[removed]");
    out = this.replaceNames(
      out,
      // with "_" for "-" they stand in ids of jobs
      minions.flatMap(({ name }) => [name, name.replaceAll("-", "_")]),
      "minion",
    );
    out = this.replaceNames(
      out,
      // an address that is a name was replaced as such
      minions.map(({ address }) => address).filter((address) => !isLoopback(address)),
      "address",
    );
    out = out.replace(IPV4, (address) => this.standIn(address, "address"));
    out = out.replace(IPV6, (address) => this.standIn(address, "address"));
    if (home.length > 1) out = out.replaceAll(home, "~");
    out = this.replaceNames(out, hosts, "this-host", false);
    if (user !== "root") out = this.replaceNames(out, [user], "user", false);
    return out
      .split("\n")
      .map((line) => (looksSecret(line) ? "[line removed: it may hold a secret]" : line))
      .join("\n");
  }

  /** Whole words only, the longest first, without case. */
  private replaceNames(
    text: string,
    names: readonly string[],
    kind: string,
    numbered = true,
  ): string {
    const lower = text.toLowerCase();
    const present = [...new Set(names)]
      .filter((name) => name !== "" && lower.includes(name.toLowerCase()))
      .sort((a, b) => b.length - a.length);
    if (present.length === 0) return text;
    const words = present.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    return text.replace(
      new RegExp(`(?<![A-Za-z0-9_])(?:${words})(?![A-Za-z0-9_])`, "gi"),
      (name) => (numbered ? this.standIn(name.toLowerCase().replaceAll("_", "-"), kind) : kind),
    );
  }

  private standIn(text: string, kind: string): string {
    const key = `${kind}/${text}`;
    const known = this.standIns.get(key);
    if (known !== undefined) return known;
    const number = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, number);
    this.standIns.set(key, `${kind}-${number}`);
    return `${kind}-${number}`;
  }
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || address.startsWith("127.");
}
