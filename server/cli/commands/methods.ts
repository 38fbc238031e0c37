import { FuncError } from "../../common/errors";
import type {
  ArgumentDescription,
  MethodDescription,
  ModuleDescription,
} from "../../protocol/methods";
import type { OverlordRequests } from "../../protocol/requests";
import { nearestNames } from "../../targets/nearestNames";
import { EXIT_OK } from "../exitStatus";
import { renderTable } from "../render";
import type { Session } from "../session";
import { withWaitNote } from "../waitNote";

/** A longer target expression says nothing in a note. */
const MAX_SPEC = 60;

type MinionMethods = OverlordRequests["minions/describe"]["result"];

/**
 * `func SPEC methods [MODULE]`: what the first answering minion has. Throws "bad-argument" where it has
 * no such module.
 */
export async function methods(session: Session, spec: string, module?: string): Promise<number> {
  const connection = await session.connect();
  const { delegate = false } = session.options;
  const described = await withWaitNote(
    connection.request("minions/describe", session.targets(spec)),
    (text) => {
      session.out.note(text);
    },
    `the methods of ${spec.length > MAX_SPEC ? "those minions" : spec}`,
  );
  const { minion, insteadOf } = described;
  const modules = module === undefined ? described.modules : [find(described, module, delegate)];
  session.out.result(
    session.options.json
      ? `${JSON.stringify({ minion, modules, ...(insteadOf && { insteadOf }) })}\n`
      : renderTable(module === undefined ? modules.map(moduleRow) : modules.flatMap(methodRows)),
  );
  const asked = insteadOf?.minion ?? minion;
  const more = `func ${asked}${delegate ? " --delegate" : ""} methods MODULE shows the methods of one`;
  if (insteadOf) {
    const { problem } = insteadOf;
    const where = /\bfunc [a-z]/.test(problem) ? ` Do this at ${minion}.` : "";
    session.out.note(`Warning: ${asked} could not be asked: ${problem}${where}\n`);
    session.out.note(`These are those of its sub-overlord ${minion}; ${asked} may have others.\n`);
    if (module === undefined) session.out.note(`${more}.\n`);
  } else {
    session.out.note(`As ${minion} has them${module === undefined ? `; ${more}` : ""}.\n`);
  }
  return EXIT_OK;
}

function find(
  { minion, modules, insteadOf }: MinionMethods,
  wanted: string,
  delegate: boolean,
): ModuleDescription {
  const found = modules.find(({ name }) => name === wanted);
  if (found) return found;
  const near = nearestNames(
    wanted,
    modules.map(({ name }) => name),
  );
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  const text = `no module "${wanted}".${hint}`;
  if (insteadOf) {
    throw new FuncError(
      "bad-argument",
      `${minion}, which was asked in the place of ${insteadOf.minion}, has ${text}`,
      `${insteadOf.minion} could not be asked: ${insteadOf.problem}`,
    );
  }
  const step = `func ${minion}${delegate ? " --delegate" : ""} methods shows the modules.`;
  throw new FuncError("bad-argument", `${minion} has ${text}`, step);
}

function moduleRow({ name, methods: { length }, description }: ModuleDescription): string[] {
  return [name, length === 1 ? "1 method" : `${length} methods`, description].map(oneLine);
}

function methodRows(module: ModuleDescription): string[][] {
  return module.methods.map(({ name, args, risk, description }) =>
    [name, argumentsText(args), risk ?? "-", description].map(oneLine),
  );
}

/** As on a command line: `command:string [env:hash]`. */
function argumentsText(args: MethodDescription["args"]): string {
  if (args === undefined) return "(not declared)";
  return args.length === 0 ? "-" : args.map(argumentText).join(" ");
}

function argumentText({ name, type, optional, options, untyped }: ArgumentDescription): string {
  const kind = options ? options.join("|") : untyped ? "any" : type === "list*" ? "any" : type;
  const text = `${name}:${kind}${type === "list*" ? "..." : ""}`;
  return optional ? `[${text}]` : text;
}

/** Descriptions come from hosts: each method keeps to its line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
