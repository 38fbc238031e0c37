import type { ArgumentDescription } from "../protocol/methods";
import { methodArguments } from "./describeMethods";
import type { MinionMethod, MinionModule } from "./minionModule";

const API_VERSION = "0.0.1";

const WORD: ArgumentDescription = {
  name: "word",
  type: "string",
  optional: false,
  description: "What to look for",
};

/** The methods that every module has. */
export function baseMethods(module: MinionModule): Record<string, MinionMethod> {
  const read = (
    description: string,
    handler: MinionMethod["handler"],
    args: ArgumentDescription[] = [],
  ): MinionMethod => ({ description, args, risk: "read", handler });
  const methods: Record<string, MinionMethod> = {
    module_version: read("The version of the module", () => module.version),
    module_api_version: read("The version of the module interface", () => API_VERSION),
    module_description: read("What the module is for", () => module.description),
    list_methods: read("The names of the module's methods", () => [
      ...new Set([...Object.keys(module.methods), ...Object.keys(methods)]),
    ]),
    get_method_args: read("The declared arguments of the module's methods", () =>
      methodArguments(module),
    ),
    grep: read("What of the module's inventory contains a word", () => ({}), [WORD]),
    config_items: read(
      "The settings of the module",
      async () => (await module.configItems?.()) ?? [],
    ),
    save_config: read("Keeps the settings of the module (they are kept at once)", () => true),
  };
  return methods;
}
