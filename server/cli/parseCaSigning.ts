import { parseMinionName } from "../common/minionName";
import { parseHostPort } from "../common/hostPort";
import type { SignParams } from "../protocol/certmaster";
import type { OptionReader } from "./optionReader";
import { nothingMore, number, usage } from "./parseSteps";

/** `func ca sign FILE`, of a request that came by hand. */
export interface CaSign {
  kind: "caSign";
  /** "-" is standard input. */
  file: string;
  /** Where the certificates go, instead of standard output. */
  out?: string;
  params: Omit<SignParams, "csr">;
}

/** `func ca operator NAME`. */
export interface CaOperator {
  kind: "caOperator";
  name: string;
  out: string;
  days?: number;
  replace: boolean;
}

const DAYS = { unit: "days", least: 0.01, most: 825, example: "30" };
const DEFAULT_MINION_PORT = 51_234;

/** What follows `func ca sign`. Throws FuncError "bad-argument". */
export function parseCaSign(reader: OptionReader): CaSign {
  const params: CaSign["params"] = {};
  const asked: { out?: string } = {};
  reader.add([
    { names: ["--name"], kind: "value", set: (value) => (params.name = parseMinionName(value)) },
    { names: ["--operator"], kind: "flag", set: () => (params.role = "operator") },
    { names: ["--days"], kind: "value", set: (value) => (params.days = days(value)) },
    {
      names: ["--address"],
      kind: "value",
      set: (value) => {
        const { host, port } = parseHostPort(value, DEFAULT_MINION_PORT);
        Object.assign(params, { address: host, port });
      },
    },
    { names: ["--replace"], kind: "flag", set: () => (params.replace = true) },
    { names: ["--out"], kind: "value", set: (value) => (asked.out = outFile(value)) },
  ]);
  const file = reader.next()?.word;
  if (file === undefined || file === "") {
    throw usage("ca sign needs the file of a certificate request, or - for standard input.");
  }
  nothingMore(reader);
  if (params.role === "operator" && params.address !== undefined) {
    throw usage("--address goes with minions: nobody connects to an operator.");
  }
  return { kind: "caSign", file, ...asked, params };
}

/** What follows `func ca operator`. Throws FuncError "bad-argument". */
export function parseCaOperator(reader: OptionReader): CaOperator {
  const asked: { out?: string; days?: number; replace: boolean } = { replace: false };
  reader.add([
    { names: ["--out"], kind: "value", set: (value) => (asked.out = outFile(value)) },
    { names: ["--days"], kind: "value", set: (value) => (asked.days = days(value)) },
    { names: ["--replace"], kind: "flag", set: () => (asked.replace = true) },
  ]);
  const name = reader.next()?.word;
  if (name === undefined) throw usage("ca operator needs the operator's name.");
  nothingMore(reader);
  const operator = parseMinionName(name, "an operator's name");
  return { kind: "caOperator", ...asked, name: operator, out: asked.out ?? `${operator}.pem` };
}

function days(value: string): number {
  return number("--days", value, DAYS);
}

function outFile(value: string): string {
  if (value === "") throw usage("--out needs the path of a file.");
  return value;
}
