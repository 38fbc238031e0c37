import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { isMap, isScalar, LineCounter, parseDocument, type Document, type YAMLMap } from "yaml";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { isMinionName, parseMinionName } from "../common/minionName";

export const DEFAULT_PORT = 51234;

export interface ListenAddress {
  host: string;
  port: number;
}

export interface MinionConfiguration {
  name: string;
  listen: ListenAddress;
  /** Host name or address that overlords reach this minion under, where it is not the one it calls from. */
  announce?: string;
}

const KEYS = ["name", "listen", "announce"];
const LISTEN_KEYS = ["host", "port"];

/**
 * Reads `minion.yaml`; what it leaves out is left out here. A missing file is an empty one.
 * Throws FuncError "bad-data" with file and line.
 */
export async function readConfiguration(file: string): Promise<Partial<MinionConfiguration>> {
  const text = await readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true });
  const fail = (offset: number | undefined, what: string): never => {
    const line = offset === undefined ? "" : `:${lines.linePos(offset).line}`;
    throw new FuncError("bad-data", `${file}${line}: ${what}`, "Correct the file.");
  };
  const problem = document.errors[0];
  if (problem) fail(problem.pos[0], problem.message.split("\n", 1)[0] ?? "is no YAML");
  const root: unknown = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return {};
  if (!isMap(root)) return fail(0, "has to be a map with name, listen and announce");
  const at = new Reader(root, KEYS, fail);
  const name = at.text("name", (value) => isMinionName(value.toLowerCase()), "a minion name");
  const announce = at.text("announce", (value) => value !== "", "a host name or address");
  const listen = at.map("listen", LISTEN_KEYS);
  const host = listen?.text("host", (value) => value !== "", "an address to listen on");
  const port = listen?.port("port");
  return {
    ...(name !== undefined && { name: name.toLowerCase() }),
    ...(announce !== undefined && { announce }),
    ...(listen && { listen: { host: host ?? "0.0.0.0", port: port ?? DEFAULT_PORT } }),
  };
}

/** Writes `minion.yaml`, keeping the comments of the one that is there. */
export async function writeConfiguration(file: string, next: MinionConfiguration): Promise<void> {
  const document: Document = parseDocument(await readText(file));
  if (!isMap(document.contents)) document.contents = document.createNode({});
  document.set("name", next.name);
  document.set("listen", document.createNode(next.listen));
  if (next.announce !== undefined) document.set("announce", next.announce);
  await writeFileAtomic(file, document.toString());
}

/** The name of this host as a minion's name. Throws FuncError "bad-argument" where it cannot be one. */
export function hostMinionName(): string {
  try {
    return parseMinionName(hostname());
  } catch (error) {
    throw new FuncError("bad-argument", messageOf(error), "Give a name with --name.");
  }
}

/** "HOST:PORT", "[IPv6]:PORT", "HOST" or ":PORT". Throws FuncError "bad-argument". */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/i.exec(text.trim());
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (!match || text.trim() === "" || port > 65_535) {
    throw new FuncError("bad-argument", `"${text}" is no address to listen on: write HOST:PORT`);
  }
  const host = match[1] ?? match[2];
  return { host: host === undefined || host === "" ? "0.0.0.0" : host, port };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}`);
  }
}

type Fail = (offset: number | undefined, what: string) => never;

/** Reads the keys of one map of the file, and refuses those it does not know. */
class Reader {
  readonly #map: YAMLMap;
  readonly #fail: Fail;

  constructor(map: YAMLMap, known: readonly string[], fail: Fail) {
    this.#map = map;
    this.#fail = fail;
    for (const { key } of map.items) {
      const name: unknown = isScalar(key) ? key.value : undefined;
      if (typeof name === "string" && known.includes(name)) continue;
      fail(offsetOf(key), `unknown key "${String(name)}"; known are ${known.join(", ")}`);
    }
  }

  text(key: string, valid: (value: string) => boolean, kind: string): string | undefined {
    const { value, offset } = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value === "string" && valid(value)) return value;
    return this.#fail(offset, `"${key}" has to be ${kind}`);
  }

  port(key: string): number | undefined {
    const { value, offset } = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535) {
      return value;
    }
    return this.#fail(offset, `"${key}" has to be a port number from 0 to 65535`);
  }

  map(key: string, known: readonly string[]): Reader | undefined {
    const node: unknown = this.#map.get(key, true);
    if (node === undefined) return undefined;
    if (isMap(node)) return new Reader(node, known, this.#fail);
    return this.#fail(offsetOf(node), `"${key}" has to be a map with ${known.join(" and ")}`);
  }

  #get(key: string): { value: unknown; offset: number | undefined } {
    const node: unknown = this.#map.get(key, true);
    return { value: isScalar(node) ? node.value : (node ?? undefined), offset: offsetOf(node) };
  }
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) ? node.range?.[0] : undefined;
}
