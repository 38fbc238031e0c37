import type { ArgumentDescription } from "../protocol/methods";
import { readFile } from "node:fs/promises";
import { FuncError, messageOf } from "../common/errors";
import { writeFileAtomic } from "../common/atomicFile";
import { XmlRpcDouble, type XmlRpcValue } from "../wire/value";
import { checkArguments } from "./argumentCheck";

type Setting = string | number | boolean;

/** The settings of a module, in a JSON file that holds what differs from the defaults. */
export class ModuleSettings {
  readonly #file: string;
  readonly #defaults: ReadonlyMap<string, Setting>;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, defaults: Record<string, Setting>) {
    this.#file = file;
    this.#defaults = new Map(Object.entries(defaults));
  }

  /** `[key, value]` pairs in the order of the defaults. */
  async items(): Promise<XmlRpcValue[]> {
    const stored = await this.#read();
    return [...this.#defaults].map(([name, usual]) => [
      name,
      typed(stored.get(name) ?? usual, usual),
    ]);
  }

  /** Throws FuncError "not-found". */
  async get(name: string): Promise<XmlRpcValue> {
    const usual = this.#usual(name);
    return typed((await this.#read()).get(name) ?? usual, usual);
  }

  /** Converts `value` to the setting's type and keeps it. Throws MethodError where it is of another type. */
  async set(name: string, value: XmlRpcValue): Promise<void> {
    const [checked] = checkArguments("config_set", [declarationOf(this.#usual(name))], [value]);
    const write = this.#writing.then(async () => {
      const stored = await this.#read();
      stored.set(name, typeof checked === "bigint" ? Number(checked) : (checked as Setting));
      await writeFileAtomic(this.#file, JSON.stringify(Object.fromEntries(stored)));
    });
    this.#writing = write.catch(() => undefined);
    await write;
  }

  #usual(name: string): Setting {
    const usual = this.#defaults.get(name);
    if (usual === undefined) throw new FuncError("not-found", `there is no setting "${name}"`);
    return usual;
  }

  async #read(): Promise<Map<string, Setting>> {
    try {
      const all: unknown = JSON.parse(await readFile(this.#file, "utf8"));
      const entries = Object.entries(all as Record<string, unknown>);
      return new Map(entries.filter((entry): entry is [string, Setting] => this.#isOwn(...entry)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
      throw new FuncError("bad-data", `${this.#file} cannot be read: ${messageOf(error)}`);
    }
  }

  #isOwn(name: string, value: unknown): boolean {
    return typeof value === typeof this.#defaults.get(name);
  }
}

function typed(value: Setting, usual: Setting): XmlRpcValue {
  const isFloat = typeof usual === "number" && !Number.isInteger(usual);
  return isFloat && typeof value === "number" ? new XmlRpcDouble(value) : value;
}

function declarationOf(usual: Setting): ArgumentDescription {
  const rest = { name: "value", optional: false, description: "" };
  if (typeof usual === "number")
    return { ...rest, type: Number.isInteger(usual) ? "int" : "float" };
  return { ...rest, type: typeof usual === "boolean" ? "boolean" : "string" };
}
