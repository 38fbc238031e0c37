import type { MinionResult } from "../protocol/jobs";
import { nearestNames } from "../targets/nearestNames";
import { renderFailure } from "./render";
import { INVALID_METHOD, MODULE_NOT_FOUND, type CalledMethod } from "./resultStep";
import type { Session } from "./session";

/** Nearest names are a help: nobody waits long for them. */
const DESCRIBE_TIMEOUT_MS = 5_000;

/** Whether the minion has no such module or method. */
export function isLacking({ state, error }: MinionResult): boolean {
  return state === "failed" && (error?.type === MODULE_NOT_FOUND || error?.type === INVALID_METHOD);
}

/** Whether `failures` are those of all minions, which lack the same. */
export function isAllLacking(failures: readonly MinionResult[], total: number): boolean {
  const [first] = failures;
  return (
    first !== undefined &&
    failures.length === total &&
    failures.every(
      (failure) => isLacking(failure) && failure.error?.message === first.error?.message,
    )
  );
}

/** Says once what all of them lack, with the names that are nearest to it. Never throws. */
export async function noteLacking(
  session: Session,
  failures: readonly MinionResult[],
  called: CalledMethod | undefined,
): Promise<void> {
  const [first] = failures;
  if (!first) return;
  const near = called ? await nearest(session, first, called) : [];
  const hint = near.length > 0 ? `Did you mean ${near.join(", ")}? ` : "";
  const step = `${hint}${first.error?.nextStep ?? ""}`.trim();
  const who = failures.length === 1 ? first.minion : `all ${failures.length} minions`;
  session.out.note(
    renderFailure(
      who,
      first.state,
      first.error && { ...first.error, ...(step !== "" && { nextStep: step }) },
    ),
  );
}

async function nearest(
  { overlord }: Session,
  { minion, error, via }: MinionResult,
  { module, method }: CalledMethod,
): Promise<string[]> {
  try {
    const { modules, insteadOf } = await overlord.request(
      "minions/describe",
      { spec: minion, ...(via && { delegate: true }) },
      { timeoutMs: DESCRIBE_TIMEOUT_MS },
    );
    if (insteadOf) return [];
    if (error?.type === MODULE_NOT_FOUND) return nearestNames(module, modules.map(nameOf));
    const methods = modules.find(({ name }) => name === module)?.methods ?? [];
    return nearestNames(method, methods.map(nameOf));
  } catch {
    return [];
  }
}

function nameOf({ name }: { name: string }): string {
  return name;
}
