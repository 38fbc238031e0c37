import { l10n } from "vscode";
import { requireTrust } from "../calls";
import { askTargets } from "../input/askTargets";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenJob } from "./jobSelection";
import { repeatJob } from "./repeatJob";

/** Makes the call of a job again, on the same targets. */
export async function runAgain(services: Services, item?: unknown): Promise<void> {
  requireTrust();
  const job = await chosenJob(services, item, { title: l10n.t("Run Again") });
  if (job) await repeatJob(services, job);
}

/** Makes the call of a job again on targets that it asks for. */
export async function runAgainOn(services: Services, item?: unknown): Promise<void> {
  requireTrust();
  const job = await chosenJob(services, item, { title: l10n.t("Run Again On") });
  if (!job) return;
  const { module, method, spec, exclude } = job;
  const title = l10n.t("Run {0} Again", `${module}.${method}`);
  const targets = await askTargets(services.session, { title, value: { spec, exclude } });
  if (targets === undefined || targets === BACK) return;
  await repeatJob(services, job, { spec: targets.spec, exclude: targets.exclude });
}
