import { verifyLiveAudit, type ChainReport } from "../../common/auditVerify";
import { FuncError } from "../../common/errors";
import type { XmlRpcValue } from "../../wire/value";
import { asString } from "../argumentCheck";
import { describeModule } from "../describeMethods";
import type { MethodRegistry } from "../methodRegistry";
import type { MinionMethod, MinionModule } from "../minionModule";

/** What this minion can do, and whether its audit log is whole. */
export function systemModule(registry: MethodRegistry, auditFile: string): MinionModule {
  let verifying: Promise<ChainReport> | undefined;
  const listMethods = (): MinionMethod => ({
    description: "The full names of all methods, sorted",
    args: [],
    risk: "read",
    handler: () => registry.handlerNames().sort(),
  });
  return {
    name: "system",
    version: "0.0.1",
    description: "Tells what this minion can do",
    methods: {
      listMethods: listMethods(),
      list_methods: listMethods(),
      list_modules: {
        description: "The names of all modules, sorted",
        args: [],
        risk: "read",
        handler: () => registry.listModules(),
      },
      inventory: {
        description: "The methods of each module",
        args: [],
        risk: "read",
        handler: () =>
          Object.fromEntries(
            registry.listModules().map((name) => [name, registry.methodNames(name)]),
          ),
      },
      grep: {
        description: "A module and a method whose name contains a word (the last of each)",
        args: [{ name: "word", type: "string", optional: false, description: "What to look for" }],
        risk: "read",
        handler: (_context, word) => grep(registry, asString(word)),
      },
      describe: {
        description: "All modules and methods with their arguments and risk",
        args: [],
        risk: "read",
        handler: () => registry.modules().map(describeModule),
      },
      audit_verify: {
        description:
          "Raises an error unless each line of this minion's audit log is as it was written",
        args: [],
        risk: "read",
        handler: async () => {
          // it takes a second or two for 50 MiB: several callers share one reading
          verifying ??= verifyLiveAudit(auditFile).finally(() => (verifying = undefined));
          return shownReport(await verifying);
        },
      },
    },
  };
}

/** Throws FuncError "bad-data": an answer, whatever it says, would be counted among those of the hosts that are well. */
function shownReport({ ok, lines, lastSeq, lastHash, problem }: ChainReport): XmlRpcValue {
  if (ok) return { ok, lines, last: lastSeq, last_hash: lastHash };
  const found = problem ? `: ${problem.file}:${problem.line}: ${problem.reason}` : "";
  throw new FuncError(
    "bad-data",
    `the audit log is not whole${found} (last good line ${lastSeq}, hash ${lastHash})`,
  );
}

function grep(registry: MethodRegistry, word: string): XmlRpcValue {
  const found: [string, string | undefined][] = [
    [
      "func.minion.server.list_modules",
      registry.listModules().findLast((name) => name.includes(word)),
    ],
    [
      "func.minion.server.list_methods",
      registry
        .handlerNames()
        .sort()
        .findLast((name) => name.includes(word)),
    ],
  ];
  return Object.fromEntries(
    found.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
