import { parseMinionName } from "../common/minionName";
import type { OptionReader } from "./optionReader";
import type { Command } from "./parse";
import { atRule, type CaAt } from "./parseAt";
import { parseCaAccept, parseCaImport } from "./parseCaImport";
import { parseCaRequest } from "./parseCaRequests";
import { parseCaRotate } from "./parseCaRotate";
import { parseCaCrl, parseCaRevoke } from "./parseCaRevoke";
import { parseCaOperator, parseCaSign } from "./parseCaSigning";
import { nothingMore, number, reservedUsage, usage } from "./parseSteps";

const TOKEN_MINUTES = { unit: "minutes", least: 1, most: 24 * 60, example: "15" };

/** What a sub-overlord can be asked to do. */
const AT_SUB_OVERLORDS: ReadonlySet<string> = new Set(
  "token close list approval waiting approve deny".split(" "),
);

/** What follows `func ca`. Throws FuncError "bad-argument". */
export function parseCa(reader: OptionReader): Command {
  const token: { nameGlob?: string; ttlMs?: number; addresses: string[] } = { addresses: [] };
  const action = reader.next()?.word;
  const at: CaAt = {};
  if (action !== undefined && AT_SUB_OVERLORDS.has(action)) reader.add([atRule(at)]);
  if (action === "list") {
    nothingMore(reader);
    return { kind: "caList", ...at };
  }
  const request = parseCaRequest(action, reader);
  if (request) return { ...request, ...at };
  if (action === "forget") return parseCaForget(reader);
  if (action === "revoke") return parseCaRevoke(reader);
  if (action === "crl") return parseCaCrl(reader);
  if (action === "rotate") return parseCaRotate(reader);
  if (action === "renew") {
    const spec = reader.next()?.word;
    nothingMore(reader);
    return { kind: "caRenew", ...(spec !== undefined && { spec }) };
  }
  if (action === "passphrase" || action === "unlock") return parseCaKey(action, reader);
  if (action === "sign") return parseCaSign(reader);
  if (action === "import") return parseCaImport(reader);
  if (action === "accept") return parseCaAccept(reader);
  if (action === "operator") return parseCaOperator(reader);
  if (action !== "token")
    throw reservedUsage(
      "ca",
      "token, close, list, approval, waiting, approve, deny, sign, operator, renew, rotate, revoke, crl, import, accept, forget, passphrase or unlock",
      action,
    );
  reader.add([
    { names: ["--name"], kind: "value", set: (value) => (token.nameGlob = value) },
    {
      names: ["--minutes"],
      kind: "value",
      set: (value) =>
        (token.ttlMs = Math.round(number("--minutes", value, TOKEN_MINUTES) * 60_000)),
    },
    { names: ["--address"], kind: "value", set: (value) => void token.addresses.push(value) },
  ]);
  nothingMore(reader);
  return { kind: "caToken", ...token, ...at };
}

function parseCaKey(action: "passphrase" | "unlock", reader: OptionReader): Command {
  const asked = { stdin: false, remove: false };
  reader.add([{ names: ["--stdin"], kind: "flag", set: () => (asked.stdin = true) }]);
  if (action === "passphrase") {
    reader.add([{ names: ["--remove"], kind: "flag", set: () => (asked.remove = true) }]);
  }
  nothingMore(reader);
  const { stdin, remove } = asked;
  return action === "unlock"
    ? { kind: "caUnlock", stdin }
    : { kind: "caPassphrase", stdin, remove };
}

function parseCaForget(reader: OptionReader): Command {
  const asked: { yes?: true } = {};
  reader.add([{ names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) }]);
  const names = new Set<string>();
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    names.add(parseMinionName(next.word));
  }
  if (names.size === 0) throw usage("ca forget needs the names of minions.");
  return { kind: "caForget", names: [...names], yes: asked.yes === true };
}
