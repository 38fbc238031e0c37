import { parseMinionName } from "../common/minionName";
import { parseHostPort } from "../common/hostPort";
import type { OptionReader } from "./optionReader";
import type { Command } from "./parse";
import { nothingMore, usage } from "./parseSteps";

/** What follows `func address`. Throws FuncError "bad-argument". */
export function parseAddress(reader: OptionReader): Command {
  const name = reader.next()?.word;
  const text = reader.next()?.word;
  if (name === undefined || text === undefined) {
    throw usage("address needs a minion's name and where it is reached: HOST or HOST:PORT.");
  }
  nothingMore(reader);
  const { host, port } = parseHostPort(text, 1);
  // without a port it stays as it is
  const isGiven = port === parseHostPort(text, 2).port;
  return { kind: "address", name: parseMinionName(name), address: host, ...(isGiven && { port }) };
}
