import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { workspace } from "vscode";
import { dataDirectory } from "../server/client/dataDirectory";

/** The overlord's data directory: the setting func.home, else FUNC_HOME or the platform's place. */
export function overlordHome(): string {
  const home = workspace.getConfiguration("func").get<string>("home", "").trim();
  if (home === "") return dataDirectory(process.env);
  return resolve(home.startsWith("~/") ? join(homedir(), home.slice(2)) : home);
}

/** What a call gets from the settings; undefined leaves it to overlord.yaml. */
export function callSettings(): { timeoutMs?: number; nforks?: number } {
  const settings = workspace.getConfiguration("func");
  const timeoutSeconds = settings.get<number>("timeoutSeconds", 0);
  const nforks = settings.get<number>("nforks", 0);
  return {
    timeoutMs: timeoutSeconds > 0 ? timeoutSeconds * 1_000 : undefined,
    nforks: nforks > 0 ? nforks : undefined,
  };
}

/** Whether calls reach minions behind sub-overlords too, where there is a delegation map. */
export function delegates(): boolean {
  return workspace.getConfiguration("func").get<boolean>("delegate", true);
}

/** How calls are made that nobody chose options for. */
export function usualOptions({ module, method }: { module: string; method: string }): {
  async?: boolean;
  delegate?: boolean;
} {
  const isCommand = module === "command" && method === "run";
  const asJobs = workspace.getConfiguration("func").get<boolean>("runCommandsAsJobs", true);
  return isCommand && asJobs ? { async: true } : {};
}

/** Calls that change something ask first when they concern more minions than this; 0 asks always. */
export function confirmAbove(): number {
  return workspace.getConfiguration("func").get<number>("confirmAbove", 10);
}
