import { parseMinionName } from "../common/minionName";
import { parseFingerprint } from "../pki/certificates/fingerprintWords";
import type { OptionReader } from "./optionReader";
import { nothingMore, number, usage } from "./parseSteps";

/** Hosts that wait for an operator, and the ways in that are open. */
export type CaRequest =
  | { kind: "caWaiting" }
  /** `fingerprint`: what was compared, in hex, whole or its beginning. */
  | { kind: "caApprove"; name: string; fingerprint?: string; yes: boolean }
  | { kind: "caDeny"; name: string; fingerprint?: string }
  | { kind: "caApproval"; forMs: number }
  | { kind: "caClose"; tokenId: string };

const APPROVAL_MINUTES = { unit: "minutes", least: 1, most: 24 * 60, example: "60" };
const DEFAULT_APPROVAL_MS = 60 * 60_000;

/** What follows `func ca waiting`, `approve` and so on; undefined for any other word. Throws FuncError "bad-argument". */
export function parseCaRequest(
  action: string | undefined,
  reader: OptionReader,
): CaRequest | undefined {
  switch (action) {
    case "waiting":
      nothingMore(reader);
      return { kind: "caWaiting" };
    case "approve": {
      const asked: { yes?: true } = {};
      reader.add([{ names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) }]);
      return { kind: "caApprove", ...parseWanted(action, reader), yes: asked.yes === true };
    }
    case "deny":
      return { kind: "caDeny", ...parseWanted(action, reader) };
    case "approval":
      return parseApproval(reader);
    case "close":
      return parseClose(reader);
    default:
      return undefined;
  }
}

function parseWanted(action: string, reader: OptionReader): { name: string; fingerprint?: string } {
  const asked: { fingerprint?: string } = {};
  reader.add([
    {
      names: ["--fingerprint"],
      kind: "value",
      set: (value) => (asked.fingerprint = parseFingerprint(value)),
    },
  ]);
  const name = reader.next()?.word;
  if (name === undefined) throw usage(`ca ${action} needs the name of a host that waits.`);
  nothingMore(reader);
  return { name: parseMinionName(name), ...asked };
}

function parseApproval(reader: OptionReader): CaRequest {
  const asked: { forMs?: number } = {};
  reader.add([
    {
      names: ["--minutes"],
      kind: "value",
      set: (value) =>
        (asked.forMs = Math.round(number("--minutes", value, APPROVAL_MINUTES) * 60_000)),
    },
  ]);
  const state = reader.next()?.word;
  nothingMore(reader);
  if (state === "on") return { kind: "caApproval", forMs: asked.forMs ?? DEFAULT_APPROVAL_MS };
  if (state !== "off") throw usage("ca approval needs on or off.");
  if (asked.forMs !== undefined) throw usage("--minutes goes with ca approval on.");
  return { kind: "caApproval", forMs: 0 };
}

function parseClose(reader: OptionReader): CaRequest {
  const tokenId = reader.next()?.word;
  if (tokenId === undefined) throw usage("ca close needs the id of a token (func ca list).");
  nothingMore(reader);
  return { kind: "caClose", tokenId };
}
