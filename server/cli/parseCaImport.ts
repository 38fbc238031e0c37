import { resolve } from "node:path";
import { parseMinionName } from "../common/minionName";
import { parseFingerprint } from "../pki/certificates/fingerprintWords";
import { parseHostPort } from "../common/hostPort";
import type { MinionPlace } from "../protocol/certmaster";
import type { OptionReader } from "./optionReader";
import { nothingMore, usage } from "./parseSteps";

/** `func ca import`, of a CA that is there already. Absolute paths. */
export interface CaImport {
  kind: "caImport";
  certificateFile: string;
  keyFile: string;
  /** The passphrase of the key comes by standard input. */
  stdin: boolean;
}

/** `func ca accept NAME ADDRESS[:PORT]`, of a host with a certificate of the original. */
export interface CaAccept extends MinionPlace {
  kind: "caAccept";
  /** What was compared, in hex, whole or its beginning. */
  fingerprint?: string;
  yes: boolean;
}

const DEFAULT_MINION_PORT = 51_234;

/** What follows `func ca import`. Throws FuncError "bad-argument". */
export function parseCaImport(reader: OptionReader): CaImport {
  const files: { certificate?: string; key?: string; stdin?: true } = {};
  reader.add([
    { names: ["--certificate"], kind: "value", set: (value) => (files.certificate = value) },
    { names: ["--key"], kind: "value", set: (value) => (files.key = value) },
    { names: ["--stdin"], kind: "flag", set: () => (files.stdin = true) },
  ]);
  nothingMore(reader);
  const { certificate = "", key = "", stdin = false } = files;
  if (certificate === "" || key === "") {
    throw usage("ca import needs --certificate FILE and --key FILE.");
  }
  return { kind: "caImport", certificateFile: resolve(certificate), keyFile: resolve(key), stdin };
}

/** What follows `func ca accept`. Throws FuncError "bad-argument". */
export function parseCaAccept(reader: OptionReader): CaAccept {
  const asked: { fingerprint?: string; yes: boolean } = { yes: false };
  reader.add([
    {
      names: ["--fingerprint"],
      kind: "value",
      set: (value) => (asked.fingerprint = parseFingerprint(value)),
    },
    { names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) },
  ]);
  const name = reader.next()?.word;
  const place = reader.next()?.word;
  if (name === undefined || place === undefined) {
    throw usage("ca accept needs the name of a host and its ADDRESS[:PORT].");
  }
  nothingMore(reader);
  const { host: address, port } = parseHostPort(place, DEFAULT_MINION_PORT);
  return { kind: "caAccept", name: parseMinionName(name), address, port, ...asked };
}
