import type { AddHostParts } from "./addHostParts";
import type { HostPlace } from "./hostPlan";
import type { RemoteNode } from "./hostProbe";
import type { HostSetup } from "./hostSetup";

/** Starts funcd there, or starts it anew; back with the old program where the new one does not start. */
export async function startHost(
  { steps }: AddHostParts,
  setup: HostSetup,
  place: HostPlace,
  { name, port, host }: { name: string; port: number; host: string },
  node: RemoteNode,
): Promise<void> {
  let lingers: boolean;
  try {
    ({ lingers } = await setup.start(name, port));
  } catch (error) {
    if (await setup.takeOld().catch(() => false)) {
      steps.remark("The new funcd does not start: the old one is put back.");
      await setup.start(name, port).catch(() => undefined);
    }
    throw error;
  }
  switch (place.service) {
    case "system":
      steps.done(`started by systemd (${place.serviceName}), also after a reboot`);
      return;
    case "user":
      steps.done(`started by the user's systemd (${place.serviceName})`);
      if (!lingers) {
        steps.remark(
          `It ends when the user logs out. For it to run always: sudo loginctl enable-linger (on ${host})`,
        );
      }
      return;
    case "detached":
      steps.done("started as a process of its own");
      steps.remark(
        `Nothing starts it again after a reboot of ${host}, or if it ends. Add the host again then, or run there: ${node.path} ${place.home}/program/funcd.js --home ${place.home}`,
      );
  }
}
