import { resolve } from "node:path";
import { parseFingerprint } from "../pki/certificates/fingerprintWords";
import type { OptionReader } from "./optionReader";
import { nothingMore, reservedUsage, usage } from "./parseSteps";

/** `func suboverlord`: this host's own overlord, for those above it. */
export type SubOverlordCommand = { funcdHome?: string } & (
  | { kind: "subOverlordInit"; service: boolean; joinWords?: string[] }
  | { kind: "subOverlordStatus" }
  | { kind: "subOverlordRemove" }
);

/** What follows `func suboverlord`. Throws FuncError "bad-argument". */
export function parseSubOverlord(reader: OptionReader): SubOverlordCommand {
  const asked: { funcdHome?: string } = {};
  reader.add([
    {
      names: ["--funcd-home"],
      kind: "value",
      set: (value) => {
        if (value === "") throw usage("--funcd-home needs the path of a folder.");
        asked.funcdHome = resolve(value);
      },
    },
  ]);
  const action = reader.next()?.word;
  switch (action) {
    case "init":
      return { ...parseInit(reader), ...asked };
    case "status":
      nothingMore(reader);
      return { kind: "subOverlordStatus", ...asked };
    case "remove":
      nothingMore(reader);
      return { kind: "subOverlordRemove", ...asked };
    default:
      throw reservedUsage("suboverlord", "init, status or remove", action);
  }
}

function parseInit(reader: OptionReader): SubOverlordCommand {
  const asked: { token?: string; ask?: string; fingerprint?: string; noService?: true } = {};
  reader.add([
    { names: ["--no-service"], kind: "flag", set: () => (asked.noService = true) },
    { names: ["--token"], kind: "value", set: (value) => (asked.token = value) },
    { names: ["--ask"], kind: "value", set: (value) => (asked.ask = value) },
    {
      names: ["--ca-fingerprint"],
      kind: "value",
      set: (value) => (asked.fingerprint = parseFingerprint(value)),
    },
  ]);
  nothingMore(reader);
  const { token, ask, fingerprint } = asked;
  if (token !== undefined && ask !== undefined) throw usage("--ask needs no --token.");
  if (fingerprint !== undefined && ask === undefined)
    throw usage("--ca-fingerprint goes with --ask.");
  const pin = fingerprint === undefined ? [] : ["--ca-fingerprint", fingerprint];
  const joinWords = ask === undefined ? token && [token] : ["--ask", ask, ...pin];
  return {
    kind: "subOverlordInit",
    service: asked.noService !== true,
    ...(joinWords && { joinWords }),
  };
}
