import type { OptionReader } from "./optionReader";
import { nothingMore, usage } from "./parseSteps";

/** `func ca rotate`. */
export interface CaRotate {
  kind: "caRotate";
  action: "start" | "status" | "finish" | "abort";
  /** With "finish": minions without a certificate of the new CA are given up. */
  withoutMissing: boolean;
  yes: boolean;
  /** The passphrase comes by standard input. */
  stdin: boolean;
}

/** What follows `func ca rotate`. Throws FuncError "bad-argument". */
export function parseCaRotate(reader: OptionReader): CaRotate {
  const actions: ("status" | "finish" | "abort")[] = [];
  const asked = { withoutMissing: false, yes: false, stdin: false };
  reader.add([
    { names: ["--status"], kind: "flag", set: () => void actions.push("status") },
    { names: ["--finish"], kind: "flag", set: () => void actions.push("finish") },
    { names: ["--abort"], kind: "flag", set: () => void actions.push("abort") },
    {
      names: ["--without-those-missing"],
      kind: "flag",
      set: () => (asked.withoutMissing = true),
    },
    { names: ["-y", "--yes"], kind: "flag", set: () => (asked.yes = true) },
    { names: ["--stdin"], kind: "flag", set: () => (asked.stdin = true) },
  ]);
  nothingMore(reader);
  const [action = "start", ...more] = actions;
  if (more.length > 0) throw usage("--status, --finish and --abort do not go together.");
  if (asked.withoutMissing && action !== "finish") {
    throw usage("--without-those-missing goes with --finish.");
  }
  return { kind: "caRotate", action, ...asked };
}
