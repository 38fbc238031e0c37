import { BlockList, isIP } from "node:net";
import { FuncError } from "../../common/errors";
import { matchesNameGlob, parseNameGlob } from "./nameGlob";
import { plainAddress } from "./sourceAddress";

/** Both bounds are needed: names alone anybody can claim. */
export interface AutosignRules {
  /** Globs. */
  names: string[];
  /** "10.1.0.0/16", "2001:db8::/32". */
  networks: string[];
}

interface Network {
  address: string;
  prefix: number;
  family: "ipv4" | "ipv6";
}

/** Which requests are signed without an operator. */
export class Autosign {
  private readonly globs: string[];
  private readonly networks = new BlockList();

  /** Throws FuncError "bad-argument" for a glob or a network that is none. */
  constructor(readonly rules: AutosignRules) {
    this.globs = rules.names.map(parseNameGlob);
    for (const { address, prefix, family } of rules.networks.map(parseNetwork)) {
      this.networks.addSubnet(address, prefix, family);
    }
  }

  /** `from`: where the connection comes from, never what the host says of itself. */
  allows(name: string, from: string): boolean {
    const address = plainAddress(from).replace(/%.*$/, "");
    const version = isIP(address);
    if (version === 0) return false;
    return (
      this.globs.some((glob) => matchesNameGlob(glob, name)) &&
      this.networks.check(address, version === 4 ? "ipv4" : "ipv6")
    );
  }
}

/** Reads "ADDRESS/BITS". Throws FuncError "bad-argument". */
export function parseNetwork(text: string): Network {
  const [, address = "", bits = ""] = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const prefix = Number(bits);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) {
    throw wrong(text, "is not a network: use ADDRESS/BITS, such as 10.1.0.0/16");
  }
  if (prefix === 0) throw wrong(text, "is every address there is, which is no bound");
  return { address, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}

function wrong(text: string, what: string): FuncError {
  return new FuncError(
    "bad-argument",
    `"${text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?")}" ${what}`,
  );
}
