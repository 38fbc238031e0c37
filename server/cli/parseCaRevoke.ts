import { parseMinionName } from "../common/minionName";
import type { RevokeParams } from "../protocol/certmaster";
import type { OptionReader } from "./optionReader";
import { nothingMore, usage } from "./parseSteps";

/** `func ca revoke`. */
export interface CaRevoke {
  kind: "caRevoke";
  params: RevokeParams & { names: string[]; serials: string[] };
  yes: boolean;
}

/** `func ca crl`. */
export interface CaCrl {
  kind: "caCrl";
  /** Where it goes, instead of standard output. */
  out?: string;
}

const SERIAL = /^[0-9A-F]{1,64}$/i;

/** What follows `func ca revoke`. Throws FuncError "bad-argument". */
export function parseCaRevoke(reader: OptionReader): CaRevoke {
  const params: CaRevoke["params"] = { names: [], serials: [] };
  const asked: { yes?: true } = {};
  reader.add([
    { names: ["--operator"], kind: "flag", set: () => (params.role = role(params, "operator")) },
    { names: ["--overlord"], kind: "flag", set: () => (params.role = role(params, "overlord")) },
    { names: ["--serial"], kind: "value", set: (value) => void params.serials.push(serial(value)) },
    { names: ["--reason"], kind: "value", set: (value) => (params.reason = value) },
    { names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) },
    { names: ["--at"], kind: "value", set: (value) => refuseAt(value) },
  ]);
  const names = new Set<string>();
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    names.add(parseMinionName(next.word));
  }
  params.names.push(...names);
  if (names.size === 0 && params.serials.length === 0) {
    throw usage("ca revoke needs names, or serial numbers with --serial.");
  }
  if (names.size > 0 && params.serials.length > 0) {
    throw usage("--serial goes without names: a name revokes all of its certificates.");
  }
  return { kind: "caRevoke", params, yes: asked.yes === true };
}

/** What follows `func ca crl`. Throws FuncError "bad-argument". */
export function parseCaCrl(reader: OptionReader): CaCrl {
  const asked: { out?: string } = {};
  reader.add([{ names: ["--out"], kind: "value", set: (value) => (asked.out = value) }]);
  nothingMore(reader);
  if (asked.out === "") throw usage("--out needs the path of a file.");
  return { kind: "caCrl", ...asked };
}

/** Who may take certificates back elsewhere is for the people there. */
function refuseAt(path: string): never {
  throw usage(`ca revoke has no --at: run it on ${path} itself, whose overlord signed.`);
}

function role(params: RevokeParams, wanted: "operator" | "overlord"): "operator" | "overlord" {
  if (params.role === undefined || params.role === wanted) return wanted;
  throw usage("--operator and --overlord do not go together.");
}

function serial(value: string): string {
  const digits = value.replaceAll(":", "");
  if (!SERIAL.test(digits)) throw usage(`--serial needs hexadecimal digits, not "${value}".`);
  return digits;
}
