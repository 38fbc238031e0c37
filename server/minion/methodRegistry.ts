import { baseMethods } from "./baseMethods";
import { INVALID_METHOD, MethodError, MODULE_NOT_FOUND } from "./methodError";
import type { MethodRisk } from "../protocol/methods";
import type { MinionMethod, MinionModule } from "./minionModule";

/** Old Python clients ask for these when they complete names. */
export const NAME_LISTS: ReadonlySet<string> = new Set(["trait_names", "_getAttributeNames"]);

interface Entry {
  module: MinionModule;
  methods: ReadonlyMap<string, MinionMethod>;
}

/**
 * Every method that can be called, by name: an explicit list in Maps, so that names such as
 * `constructor` or `__proto__` mean nothing.
 */
export class MethodRegistry {
  readonly #modules = new Map<string, Entry>();

  add(module: MinionModule): void {
    const own = Object.entries(module.methods);
    // as in the original, "system" is no module of its own and has none of the base methods
    const base = module.name === "system" ? [] : Object.entries(baseMethods(module));
    const methods = new Map([...own, ...base]);
    // a module's own method goes before the base method of the same name
    for (const [name, method] of own) methods.set(name, method);
    this.#modules.set(module.name, { module, methods });
  }

  /**
   * The method of a full name, "module.method", where the module's own name may have dots.
   * Throws MethodError of the original's types for an unknown module or method.
   */
  find(fullName: string): MinionMethod {
    const dot = fullName.lastIndexOf(".");
    const moduleName = dot < 0 ? "" : fullName.slice(0, dot);
    const entry = this.#modules.get(moduleName);
    if (!entry) {
      throw new MethodError(MODULE_NOT_FOUND, `this minion has no module "${moduleName}"`);
    }
    const method = entry.methods.get(fullName.slice(dot + 1));
    if (!method) {
      throw new MethodError(
        INVALID_METHOD,
        `the module "${moduleName}" has no method "${fullName.slice(dot + 1)}"`,
      );
    }
    return method;
  }

  /** The method, or undefined where the name is unknown. */
  lookup(fullName: string): MinionMethod | undefined {
    const dot = fullName.lastIndexOf(".");
    return this.#modules
      .get(fullName.slice(0, Math.max(dot, 0)))
      ?.methods.get(fullName.slice(dot + 1));
  }

  /** What the method declares to be able to do; undefined where the name is unknown. */
  riskOf(fullName: string): MethodRisk | undefined {
    return NAME_LISTS.has(fullName) ? "read" : this.lookup(fullName)?.risk;
  }

  modules(): MinionModule[] {
    return [...this.#modules.values()].map(({ module }) => module).sort(byName);
  }

  /** Names of the modules, sorted; "system" is none of them, as in the original. */
  listModules(): string[] {
    return this.modules()
      .map(({ name }) => name)
      .filter((name) => name !== "system");
  }

  /** Names of a module's methods: its own, then those that every module has. */
  methodNames(moduleName: string): string[] {
    return [...(this.#modules.get(moduleName)?.methods.keys() ?? [])];
  }

  /** Full names of all methods, in the order of registration. */
  handlerNames(): string[] {
    return [...this.#modules.keys()].flatMap((module) =>
      this.methodNames(module).map((method) => `${module}.${method}`),
    );
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
