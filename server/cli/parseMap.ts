import { resolve } from "node:path";
import type { OptionReader } from "./optionReader";
import { nothingMore, reservedUsage, usage } from "./parseSteps";

export type MapCommand =
  | { kind: "buildMap"; append: boolean; onlyAlive: boolean; verbose: boolean }
  | { kind: "mapShow" | "mapCheck"; mapFile?: string }
  | { kind: "mapPath"; names: string[]; mapFile?: string };

/** What follows `func build-map`, with the options of the original's func-build-map. Throws FuncError "bad-argument". */
export function parseBuildMap(reader: OptionReader): MapCommand {
  const asked = { append: false, onlyAlive: false, verbose: false };
  reader.add([
    { names: ["-a", "--append"], kind: "flag", set: () => (asked.append = true) },
    {
      names: ["-o", "--onlyalive", "--only-alive"],
      kind: "flag",
      set: () => (asked.onlyAlive = true),
    },
    { names: ["-v", "--verbose"], kind: "flag", set: () => (asked.verbose = true) },
  ]);
  nothingMore(reader);
  return { kind: "buildMap", ...asked };
}

/** What follows `func map`. Throws FuncError "bad-argument". */
export function parseMapCommand(reader: OptionReader): MapCommand {
  const place: { mapFile?: string } = {};
  reader.add([
    { names: ["--mapfile"], kind: "value", set: (value) => (place.mapFile = mapFilePath(value)) },
  ]);
  const action = reader.next()?.word;
  switch (action) {
    case "show":
      nothingMore(reader);
      return { kind: "mapShow", ...place };
    case "check": {
      const file = reader.next()?.word;
      nothingMore(reader);
      if (file === undefined) return { kind: "mapCheck", ...place };
      if (place.mapFile !== undefined) throw usage("map check takes one file: FILE or --mapfile.");
      return { kind: "mapCheck", mapFile: mapFilePath(file) };
    }
    case "path": {
      const names: string[] = [];
      for (let next = reader.next(); next; next = reader.next()) names.push(next.word);
      if (names.length === 0) throw usage("map path needs the name of a host.");
      return { kind: "mapPath", names, ...place };
    }
    default:
      throw reservedUsage("map", "show, path or check", action);
  }
}

/** The overlord may have another working directory. */
export function mapFilePath(text: string): string {
  if (text === "") throw usage("The name of the map's file is empty.");
  return resolve(text);
}
