import { join } from "node:path";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { OutputFiles } from "../jobs/outputs/outputFiles";
import { openJobStore } from "../jobs/store/jobStore";
import type { JobStore } from "../jobs/store/storeTypes";
import { Inventory } from "../targets/inventory";
import { readConfiguration } from "./configurationFile";
import { FleetCredentials } from "./fleetCredentials";
import type { OverlordConfiguration } from "./overlordConfiguration";

/** What an overlord and its clients put into a data directory. */
export const DATA_FILES =
  /^\.?(?:overlord\.|lock|endpoint|map(?:\.|$)|inventory\.json|hosts\.json|groups|audit\.log|moved\.json|replaced-|spool-|(?:ca|ca\.importing|credentials|minions|service|triggers|try|spool|jobs)$)/;

const INHERIT_AFTER_MS = 10_000;

/** What is in a data directory, opened. */
export interface OverlordData {
  configuration: OverlordConfiguration;
  inventory: Inventory;
  outputs: OutputFiles;
  credentials: FleetCredentials;
  store: JobStore;
}

/**
 * Opens a data directory; `programs` is where `store.js` is. To be called by the owner of its lock only. Throws
 * FuncError naming the file that is in the way.
 */
export async function openData(
  dataDirectory: string,
  log: Log,
  programs: string,
): Promise<OverlordData> {
  const configuration = await readConfiguration(join(dataDirectory, "overlord.yaml"));
  const inventory = await Inventory.open(join(dataDirectory, "inventory.json"), log);
  const limits = configuration.jobs;
  const maxBytes = limits.keepBytes;
  const outputs = await OutputFiles.open(join(dataDirectory, "spool"), { maxBytes });
  const credentials = new FleetCredentials(dataDirectory, log, outputs, inventory);
  await credentials.open();
  const store = await openJobStore(join(dataDirectory, "jobs"), { limits, programs, log });
  store.onForgotten((jobIds) => {
    for (const jobId of jobIds) outputs.release(jobId);
  });
  // only to remove what nobody holds: nothing that a start should wait for
  setTimeout(() => void inherit(outputs, store, log), INHERIT_AFTER_MS).unref();
  return { configuration, inventory, outputs, credentials, store };
}

async function inherit(outputs: OutputFiles, store: JobStore, log: Log): Promise<void> {
  try {
    outputs.inherit(await store.heldOutputs());
  } catch (error) {
    // they stay until a start at which the store works
    log.warn("it is not known which outputs are still needed", { problem: messageOf(error) });
  }
}
