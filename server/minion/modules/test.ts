import type { ArgumentDescription } from "../../protocol/methods";
import { setTimeout as sleep } from "node:timers/promises";
import { XmlRpcDouble, type XmlRpcValue } from "../../wire/value";
import { asString } from "../argumentCheck";
import { CANCELLED, MethodError, TYPE_ERROR } from "../methodError";
import type { MinionModule } from "../minionModule";
import { ModuleSettings } from "../moduleSettings";

const MOST_SLEEP_SECONDS = 7 * 24 * 60 * 60;

const DEFAULTS = {
  example: 1,
  string_option: "a string",
  int_option: 42,
  bool_option: true,
  float_option: 2.5,
};

/** The module that shows whether calls get through. `settingsFile` keeps its settings. */
export function testModule(settingsFile: string): MinionModule {
  const settings = new ModuleSettings(settingsFile, DEFAULTS);
  return {
    name: "test",
    version: "0.0.11",
    description: "Trivial methods, to see whether calls get through and what becomes of values",
    configItems: () => settings.items(),
    methods: {
      add: {
        description: "Adds two numbers, or joins two strings or two lists",
        args: [any("a", "The first"), any("b", "The second")],
        risk: "read",
        handler: (_context, a = null, b = null) => add(a, b),
      },
      ping: { description: "Answers 1", args: [], risk: "read", handler: () => 1 },
      sleep: {
        description: "Answers the time, as seconds since 1970, after a while",
        args: [
          {
            name: "t",
            type: "float",
            optional: false,
            description: "Seconds to wait",
            min: 0,
            max: MOST_SLEEP_SECONDS,
          },
        ],
        risk: "read",
        handler: async ({ signal }, seconds) => {
          await pause(Number(seconds), signal);
          return new XmlRpcDouble(Date.now() / 1_000);
        },
      },
      explode: {
        description: "Raises an error with a message",
        args: [],
        risk: "read",
        handler: () => {
          throw new MethodError("exceptions.Exception", "this method always fails: it is a test");
        },
      },
      explode_no_string: {
        description: "Raises an error without a message",
        args: [],
        risk: "read",
        handler: () => {
          throw new MethodError("exceptions.Exception", "");
        },
      },
      echo: {
        description: "Answers what it gets",
        args: [any("data", "Anything")],
        risk: "read",
        handler: (_context, data = null) => data,
      },
      bigint: {
        description: "Answers an integer beyond 32 bits (a fault with the original)",
        args: [],
        risk: "read",
        handler: () => 9_007_199_254_740_993n,
      },
      configfoo: {
        description: "Answers the settings of this module",
        args: [],
        risk: "read",
        handler: () => settings.items(),
      },
      config_save: {
        description: "Answers the settings of this module, which are kept",
        args: [],
        risk: "read",
        handler: () => settings.items(),
      },
      config_set: {
        description: "Changes a setting of this module and keeps it",
        args: [
          option(),
          { ...any("value", "The new value, of the type of the setting"), untyped: true },
        ],
        risk: "change",
        handler: async (_context, name, value = null) => {
          await settings.set(asString(name), value);
          return settings.items();
        },
      },
      config_get: {
        description: "Answers a setting of this module",
        args: [option()],
        risk: "read",
        handler: (_context, name) => settings.get(asString(name)),
      },
      config_get_test: {
        description: "Answers the setting `example`",
        args: [],
        risk: "read",
        handler: () => settings.get("example"),
      },
    },
  };
}

function any(name: string, description: string): ArgumentDescription {
  return { name, type: "string", optional: false, description, untyped: true };
}

function option(): ArgumentDescription {
  return {
    name: "key_name",
    type: "string",
    optional: false,
    description: "Name of the setting",
    options: Object.keys(DEFAULTS),
  };
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + seconds * 1_000;
  try {
    // a timer of Node takes at most 2^31 ms
    for (let left = endMs - performance.now(); left > 0; left = endMs - performance.now()) {
      await sleep(Math.min(left, 1_000_000), undefined, { signal });
    }
  } catch {
    throw new MethodError(CANCELLED, "test.sleep was cancelled");
  }
}

function add(a: XmlRpcValue, b: XmlRpcValue): XmlRpcValue {
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
  if (isInteger(a) && isInteger(b)) {
    const sum = BigInt(a) + BigInt(b);
    const small = Number(sum);
    return Number.isSafeInteger(small) ? small : sum;
  }
  const x = toNumber(a);
  const y = toNumber(b);
  if (x === undefined || y === undefined) {
    throw new MethodError(
      TYPE_ERROR,
      'test.add: the arguments "a" and "b" have to be two numbers, two strings or two lists',
    );
  }
  return new XmlRpcDouble(x + y);
}

function isInteger(value: XmlRpcValue): value is number | bigint | boolean {
  return (
    typeof value === "bigint" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isInteger(value))
  );
}

function toNumber(value: XmlRpcValue): number | undefined {
  if (value instanceof XmlRpcDouble) return value.value;
  if (typeof value === "number") return value;
  return isInteger(value) ? Number(value) : undefined;
}
