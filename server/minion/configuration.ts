import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { isAbsolute } from "node:path";
import { isMap, parseDocument, type Document } from "yaml";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { isMinionName, parseMinionName } from "../common/minionName";
import { isPreset, PRESETS, type Preset } from "./presets";
import { parseYamlMap, type YamlMap, type YamlProblem } from "./yamlMap";

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
  access?: AccessPresets;
  /** This host's own overlord, which calls its own minions for the overlords above. */
  subOverlord?: SubOverlordPlace;
}

export interface SubOverlordPlace {
  /** Its data directory, an absolute path. */
  home: string;
}

/** What each role may do on this minion without being named by a rule. */
export interface AccessPresets {
  overlord?: Preset;
  operators?: Preset;
  /** Overlords whose signed calls others bring; as `overlord` without. */
  originators?: Preset;
}

const KEYS = ["name", "listen", "announce", "access", "sub_overlord"];
const LISTEN_KEYS = ["host", "port"];
const ACCESS_KEYS = ["overlord", "operators", "originators"];
const SUB_OVERLORD_KEYS = ["home"];

/**
 * Reads `minion.yaml`; what it leaves out is left out here. A missing file is an empty one.
 * Throws FuncError "bad-data" with file and line.
 */
export async function readConfiguration(file: string): Promise<Partial<MinionConfiguration>> {
  return parseConfiguration(await readText(file), (line, what) => {
    const place = line === undefined ? "" : `:${line}`;
    throw new FuncError("bad-data", `${file}${place}: ${what}`, "Correct the file.");
  });
}

/** The text of a `minion.yaml`; `problem` is told the first that is wrong, and throws. */
export function parseConfiguration(
  text: string,
  problem: YamlProblem,
): Partial<MinionConfiguration> {
  const at = parseYamlMap(text, KEYS, problem);
  if (!at) return {};
  const name = at.text("name", (value) => isMinionName(value.toLowerCase()), "a minion name");
  const announce = at.text("announce", (value) => value !== "", "a host name or address");
  const listen = at.map("listen", LISTEN_KEYS);
  const host = listen?.text("host", (value) => value !== "", "an address to listen on");
  const port = listen?.port("port");
  const access = at.map("access", ACCESS_KEYS);
  const subOverlord = at.map("sub_overlord", SUB_OVERLORD_KEYS);
  return {
    ...(name !== undefined && { name: name.toLowerCase() }),
    ...(announce !== undefined && { announce }),
    ...(listen && { listen: { host: host ?? "0.0.0.0", port: port ?? DEFAULT_PORT } }),
    ...(access && { access: presetsIn(access) }),
    ...(subOverlord && { subOverlord: placeIn(subOverlord) }),
  };
}

function presetsIn(access: YamlMap): AccessPresets {
  const preset = (key: keyof AccessPresets): AccessPresets => {
    const text = access.text(key, isPreset, `one of ${PRESETS.join(", ")}`);
    return isPreset(text) ? { [key]: text } : {};
  };
  return { ...preset("overlord"), ...preset("operators"), ...preset("originators") };
}

function placeIn(subOverlord: YamlMap): SubOverlordPlace {
  const home = subOverlord.text("home", isFolder, "the absolute path of an overlord's directory");
  return { home: home ?? subOverlord.fail('"sub_overlord" has to name its "home"') };
}

function isFolder(text: string): boolean {
  return isAbsolute(text) && !text.includes("\0");
}

/** Writes `minion.yaml`, keeping the comments of the one that is there. */
export async function writeConfiguration(file: string, next: MinionConfiguration): Promise<void> {
  const document: Document = parseDocument(await readText(file));
  if (!isMap(document.contents)) document.contents = document.createNode({});
  document.set("name", next.name);
  document.set("listen", document.createNode(next.listen));
  if (next.announce !== undefined) document.set("announce", next.announce);
  if (next.subOverlord) document.set("sub_overlord", document.createNode(next.subOverlord));
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
