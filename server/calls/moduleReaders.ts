import * as v from "valibot";
import type {
  ArgumentDescription,
  MethodDescription,
  ModuleDescription,
} from "../protocol/methods";
import type { JsonValue } from "../protocol/value";

/** Anything of another type than declared is left out: minions of other versions describe more, or less. */
const maybe = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.fallback(v.optional(schema), undefined);
const text = v.fallback(v.string(), "");
const flag = v.fallback(v.boolean(), false);
/** A double without a fraction travels in an object (protocol/value.ts). */
const number = v.union([
  v.number(),
  v.pipe(
    v.object({ $double: v.number() }),
    v.transform(({ $double }) => $double),
  ),
]);
const type = v.fallback(
  v.picklist(["int", "string", "boolean", "float", "hash", "list", "list*"]),
  "string",
);
const defaultValue = maybe(v.union([v.string(), number, v.boolean(), v.null()]));
const options = maybe(v.array(v.union([v.string(), number])));

const argumentSchema = v.object({
  name: v.string(),
  type,
  optional: flag,
  description: text,
  default: defaultValue,
  options,
  min: maybe(number),
  max: maybe(number),
  minLength: maybe(v.number()),
  maxLength: maybe(v.number()),
  validator: maybe(v.string()),
  secret: maybe(v.boolean()),
  untyped: maybe(v.boolean()),
});

const methodSchema = v.object({
  name: v.string(),
  description: text,
  args: maybe(v.array(argumentSchema)),
  risk: maybe(v.picklist(["read", "change", "disruptive"])),
});

const moduleSchema = v.object({
  name: v.string(),
  description: text,
  version: maybe(v.string()),
  methods: v.fallback(v.array(methodSchema), []),
});

/** As the original's get_method_args has it: names in snake case, position as `order`. */
const originalArgumentSchema = v.object({
  type,
  optional: flag,
  description: text,
  default: defaultValue,
  options,
  range: maybe(v.tuple([number, number])),
  min: maybe(number),
  max: maybe(number),
  min_length: maybe(v.number()),
  max_length: maybe(v.number()),
  validator: maybe(v.string()),
  order: v.fallback(v.number(), 0),
});

const originalMethodsSchema = v.record(
  v.string(),
  v.fallback(
    v.object({
      description: text,
      args: maybe(v.record(v.string(), originalArgumentSchema)),
    }),
    { description: "", args: undefined },
  ),
);

/** What each original module has besides its own. */
const BASE_METHODS = new Set([
  "module_version",
  "module_api_version",
  "module_description",
  "list_methods",
  "get_method_args",
  "grep",
  "config_items",
  "save_config",
]);

/** The answer to system.describe; what cannot be understood is left out. */
export function readModules(value: JsonValue): ModuleDescription[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    const parsed = v.safeParse(moduleSchema, item);
    return parsed.success ? [parsed.output] : [];
  });
}

/** The texts of a list. */
export function readTexts(value: JsonValue): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** An original module's own methods, from its list_methods and get_method_args. */
export function readOriginalMethods(names: JsonValue, args: JsonValue): MethodDescription[] {
  const parsed = v.safeParse(originalMethodsSchema, args);
  const declared = new Map(parsed.success ? Object.entries(parsed.output) : []);
  return [...new Set(readTexts(names))]
    .filter((name) => !BASE_METHODS.has(name))
    .sort()
    .map((name) => {
      const method = declared.get(name);
      return {
        name,
        description: method?.description ?? "",
        args: method?.args && readOriginalArguments(method.args),
      };
    });
}

function readOriginalArguments(
  args: Record<string, v.InferOutput<typeof originalArgumentSchema>>,
): ArgumentDescription[] {
  return Object.entries(args)
    .sort(([, a], [, b]) => a.order - b.order)
    .map(([name, argument]) => ({
      name,
      type: argument.type,
      optional: argument.optional,
      description: argument.description,
      default: argument.default,
      options: argument.options,
      min: argument.min ?? argument.range?.[0],
      max: argument.max ?? argument.range?.[1],
      minLength: argument.min_length,
      maxLength: argument.max_length,
      validator: argument.validator,
    }));
}
