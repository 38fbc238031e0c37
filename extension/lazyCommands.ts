import type { Services } from "./services";

/** As copyDiagnostics.ts, whose code is loaded when it is first wanted. */
export async function copyDiagnostics(services: Services): Promise<void> {
  const loaded = await import("./copyDiagnostics.js");
  await loaded.copyDiagnostics(services);
}
