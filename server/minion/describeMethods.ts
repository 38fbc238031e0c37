import type { ArgumentDescription } from "../protocol/methods";
import type { XmlRpcStruct, XmlRpcValue } from "../wire/value";
import type { MinionMethod, MinionModule } from "./minionModule";

/** The declarations of a module's methods in the original's form: `get_method_args` (FUNC-SPEC 1.4). */
export function methodArguments(module: MinionModule): XmlRpcStruct {
  return struct(
    Object.entries(module.methods).map(([name, method]) => [
      name,
      { args: struct(method.args.map(originalArgument)), description: method.description },
    ]),
  );
}

function originalArgument(argument: ArgumentDescription, order: number): [string, XmlRpcValue] {
  return [
    argument.name,
    defined({
      type: argument.type,
      optional: argument.optional,
      description: argument.description,
      default: argument.default,
      options: argument.options,
      min: argument.min,
      max: argument.max,
      min_length: argument.minLength,
      max_length: argument.maxLength,
      validator: argument.validator,
      order,
    }),
  ];
}

/** A module in the form of ModuleDescription (protocol/methods.ts), for overlords of this project. */
export function describeModule(module: MinionModule): XmlRpcStruct {
  return {
    name: module.name,
    description: module.description,
    version: module.version,
    methods: Object.entries(module.methods).map(([name, method]) => describeMethod(name, method)),
  };
}

function describeMethod(name: string, method: MinionMethod): XmlRpcStruct {
  return {
    name,
    description: method.description,
    risk: method.risk,
    args: method.args.map((argument) =>
      defined({
        name: argument.name,
        type: argument.type,
        optional: argument.optional,
        description: argument.description,
        default: argument.default,
        options: argument.options,
        min: argument.min,
        max: argument.max,
        minLength: argument.minLength,
        maxLength: argument.maxLength,
        validator: argument.validator,
        secret: argument.secret,
        untyped: argument.untyped,
      }),
    ),
  };
}

function defined(fields: Record<string, XmlRpcValue | undefined>): XmlRpcStruct {
  return struct(
    Object.entries(fields).filter(
      (field): field is [string, XmlRpcValue] => field[1] !== undefined,
    ),
  );
}

function struct(entries: [string, XmlRpcValue][]): XmlRpcStruct {
  return Object.fromEntries(entries);
}
