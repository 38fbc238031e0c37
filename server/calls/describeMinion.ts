import { FuncError } from "../common/errors";
import type { ModuleDescription } from "../protocol/methods";
import type { MinionRecord } from "../protocol/minions";
import type { JsonValue } from "../protocol/value";
import { toJson } from "../wire/jsonValue";
import { fanOut } from "./fanOut";
import type { MinionCaller } from "./minionCaller";
import { readModules, readOriginalMethods, readTexts } from "./moduleReaders";

const TIMEOUT_MS = 15_000;
/** An original minion is asked module by module. */
const MODULES_AT_ONCE = 8;
const MAX_MODULES = 500;
/** In every original minion's list, though it is only the base of the others. */
const BASE_MODULE = "func_module";

/**
 * Asks a minion what it has: a native one in one call, an original one per module, where a module that
 * does not answer is listed without methods. Throws FuncError with the reason why it gave no answer.
 */
export async function describeMinion(
  minion: MinionRecord,
  caller: MinionCaller,
  signal: AbortSignal,
): Promise<ModuleDescription[]> {
  const ask = async (method: string): Promise<JsonValue | FuncError> => {
    const outcome = await caller.call(minion, method, [], { timeoutMs: TIMEOUT_MS, signal });
    if (outcome.state === "succeeded") return toJson(outcome.value);
    const reason = outcome.state === "failed" ? "broken-answer" : outcome.state;
    return new FuncError(reason, outcome.error.message, outcome.error.nextStep);
  };

  // any call tells which kind of minion it is, and both kinds have this one
  const names = await ask("system.list_modules");
  if (names instanceof FuncError) throw names;
  if (await caller.isNative(minion)) {
    const described = await ask("system.describe");
    if (!(described instanceof FuncError)) return readModules(described);
  }
  const modules: ModuleDescription[] = [];
  await fanOut({
    items: readTexts(names)
      .filter((name) => name !== BASE_MODULE)
      .slice(0, MAX_MODULES),
    nforks: MODULES_AT_ONCE,
    signal,
    run: async (name) => {
      const [methods, args, description] = [
        await ask(`${name}.list_methods`),
        await ask(`${name}.get_method_args`),
        await ask(`${name}.module_description`),
      ];
      modules.push({
        name,
        description: typeof description === "string" ? description : "",
        methods: readOriginalMethods(known(methods), known(args)),
      });
    },
    skip: () => undefined,
  });
  if (signal.aborted) throw new FuncError("cancelled", `Asking ${minion.name} was cancelled.`);
  return modules.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function known(value: JsonValue | FuncError): JsonValue {
  return value instanceof FuncError ? null : value;
}
