import { OptionReader } from "./optionReader";
import { usage } from "./parseSteps";

/** What the original's certmaster-ca can be asked to do. */
export type CertmasterCa = { kind: "certmasterCa" } & (
  | { action: "list" | "list-signed" | "list-cert-hash" | "version" | "help" }
  /** `hosts`: names or globs. */
  | { action: "sign" | "clean"; hosts: string[] }
);

export const CERTMASTER_CA_HELP = `Usage: certmaster-ca [OPTIONS]

  -l, --list           names of the hosts that wait for their certificate
  -s, --sign HOST...   sign what waits; names or globs. Nobody compares anything then: "func ca approve"
                       shows the words that the host shows
  -c, --clean HOST...  revoke the certificates of these hosts, and forget what waits
      --list-signed    names of the hosts that have a certificate
      --list-cert-hash names with the hash of the subject, for *.acl files
      --ca NAME        accepted where empty: there is one CA
      --version        print the version
  -h, --help           print this
      --home DIR       data directory of the overlord, instead of FUNC_HOME
`;

/** Takes over the words behind `certmaster-ca`. Throws FuncError "bad-argument". */
export function parseCertmasterCa(
  words: readonly string[],
  options: { home?: string },
): CertmasterCa {
  const asked = new Set<Exclude<CertmasterCa["action"], never>>();
  const flag = (action: CertmasterCa["action"], ...names: string[]) =>
    ({ names, kind: "flag", set: () => void asked.add(action) }) as const;
  const reader = new OptionReader(words, [
    flag("list", "-l", "--list"),
    flag("sign", "-s", "--sign"),
    flag("clean", "-c", "--clean"),
    flag("list-signed", "--list-signed"),
    flag("list-cert-hash", "--list-cert-hash"),
    flag("version", "--version"),
    flag("help", "-h", "--help"),
    {
      names: ["--ca"],
      kind: "value",
      set: (value) => {
        if (value !== "")
          throw usage(`There is no CA "${value}": this overlord has one, which has no name.`);
      },
    },
    {
      names: ["--home"],
      kind: "value",
      set: (value) => {
        if (value === "") throw usage("--home needs the path of a folder.");
        options.home = value;
      },
    },
  ]);
  const hosts: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) hosts.push(next.word);
  if (asked.has("help")) return { kind: "certmasterCa", action: "help" };
  if (asked.has("version")) return { kind: "certmasterCa", action: "version" };
  const [action, another] = asked;
  if (action === undefined || another !== undefined) {
    throw usage(
      "certmaster-ca needs one of --list, --sign, --clean, --list-signed, --list-cert-hash.",
    );
  }
  if (action === "sign" || action === "clean") {
    if (hosts.length === 0) throw usage(`--${action} needs the names of hosts.`);
    return { kind: "certmasterCa", action, hosts };
  }
  if (hosts[0] !== undefined) throw usage(`The word "${hosts[0]}" is too much here.`);
  return { kind: "certmasterCa", action };
}
