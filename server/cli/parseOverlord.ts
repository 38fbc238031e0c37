import type { OptionReader } from "./optionReader";
import type { Command } from "./parse";
import { nothingMore, reservedUsage, usage } from "./parseSteps";

/** What follows `func overlord`. Throws FuncError "bad-argument". */
export function parseOverlord(reader: OptionReader): Command {
  const action = reader.next()?.word;
  switch (action) {
    case "status":
      nothingMore(reader);
      return { kind: "overlordStatus" };
    case "stop": {
      const asked: { force?: true } = {};
      reader.add([{ names: ["--force"], kind: "flag", set: () => (asked.force = true) }]);
      nothingMore(reader);
      return { kind: "overlordStop", force: asked.force === true };
    }
    case "backup":
    case "move":
    case "restore":
      return parseBackup(action, reader);
    case "install-service": {
      const asked: { print?: true } = {};
      reader.add([{ names: ["--print"], kind: "flag", set: () => (asked.print = true) }]);
      nothingMore(reader);
      return { kind: "installService", print: asked.print === true };
    }
    case "remove-service":
      nothingMore(reader);
      return { kind: "removeService" };
    default:
      throw reservedUsage(
        "overlord",
        "status, stop, backup, restore, move, install-service or remove-service",
        action,
      );
  }
}

function parseBackup(action: "backup" | "move" | "restore", reader: OptionReader): Command {
  const asked: { stdin?: true; unencrypted?: true; replace?: true } = {};
  reader.add([
    { names: ["--stdin"], kind: "flag", set: () => (asked.stdin = true) },
    action === "restore"
      ? { names: ["--replace"], kind: "flag", set: () => (asked.replace = true) }
      : { names: ["--unencrypted"], kind: "flag", set: () => (asked.unencrypted = true) },
  ]);
  const file = reader.next()?.word;
  if (file === undefined || file === "")
    throw usage(`overlord ${action} needs the name of a file.`);
  nothingMore(reader);
  const stdin = asked.stdin === true;
  if (action === "restore") {
    return { kind: "overlordRestore", file, stdin, replace: asked.replace === true };
  }
  const kind = action === "backup" ? "overlordBackup" : "overlordMove";
  return { kind, file, stdin, unencrypted: asked.unencrypted === true };
}
