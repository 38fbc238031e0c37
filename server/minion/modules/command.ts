import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { XmlRpcStruct, XmlRpcValue } from "../../wire/value";
import { asString, isStruct } from "../argumentCheck";
import { runCommand } from "../commandRunner";
import { MethodError, TYPE_ERROR } from "../methodError";
import type { CommandSpec, MinionModule } from "../minionModule";

const VARIABLE_NAME = /^[^=\0]+$/;

export const commandModule: MinionModule = {
  name: "command",
  version: "0.0.1",
  description: "Runs shell commands",
  methods: {
    run: {
      description:
        "Runs a command in the host's shell and answers its return code (negative for signals), output and error output",
      args: [
        { name: "command", type: "string", optional: false, description: "The command line" },
        {
          name: "env",
          type: "hash",
          optional: true,
          description: "Environment variables to add",
        },
      ],
      risk: "change",
      handler: ({ signal }, command, env) => runCommand(commandSpec(command, env), signal),
      asCommand: commandSpec,
    },
    exists: {
      description: "Tells whether a path is there and can be executed (PATH is not searched)",
      args: [{ name: "command", type: "string", optional: false, description: "The path" }],
      risk: "read",
      handler: async (_context, path) => {
        try {
          await access(asString(path), constants.X_OK);
          return true;
        } catch {
          return false;
        }
      },
    },
  },
};

/** Throws MethodError where the environment holds anything but text, or a null byte is somewhere. */
function commandSpec(command: XmlRpcValue | undefined, env: XmlRpcValue | undefined): CommandSpec {
  const variables: XmlRpcStruct = isStruct(env) ? env : {};
  const spec: CommandSpec = { command: asString(command), env: {} };
  if (spec.command.includes("\0")) {
    throw new MethodError(TYPE_ERROR, 'command.run: the argument "command" contains a null byte');
  }
  for (const [name, value] of Object.entries(variables)) {
    if (!VARIABLE_NAME.test(name) || typeof value !== "string" || value.includes("\0")) {
      throw new MethodError(
        TYPE_ERROR,
        `command.run: the argument "env" has to map names to strings, which ${JSON.stringify(name)} does not`,
      );
    }
    spec.env[name] = value;
  }
  return spec;
}
