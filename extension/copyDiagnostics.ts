import { readFile } from "node:fs/promises";
import { homedir, hostname, release, userInfo } from "node:os";
import { join } from "node:path";
import { env, l10n, UIKind, version, window, workspace, type ExtensionContext } from "vscode";
import { messageOf } from "../server/common/errors";
import type { MinionRecord } from "../server/protocol/minions";
import type { OverlordStatus } from "../server/protocol/overlord";
import { diagnosticsText } from "./diagnostics/diagnosticsText";
import { lastLines } from "./diagnostics/lastLines";
import { Pseudonyms } from "./diagnostics/pseudonyms";
import type { Services } from "./services";
import { overlordHome } from "./settings";

const LOG_LINES = 50;

/** Shows what helps to find a fault, without names and secrets, and puts it into the clipboard. */
export async function copyDiagnostics(services: Services): Promise<void> {
  const { context, commandLine, session } = services;
  const home = overlordHome();
  const overlord = await statusOf(services);
  const minions = await knownMinions(services, home);
  const hidden = {
    home: homedir(),
    user: userInfo().username,
    hosts: [hostname(), ...(session.state.kind === "connected" ? [session.state.hello.host] : [])],
    minions: minions ?? [],
  };
  const logs = context.logUri.fsPath;
  const text = new Pseudonyms(hidden).apply(
    diagnosticsText({
      versions: versionsOf(context, await commandLine.installed()),
      settings: settingsOf(context),
      overlord: overlord.status,
      overlordProblem: overlord.problem,
      minions: minions && countsOf(services),
      logs: [
        {
          title: `overlord.log, last ${LOG_LINES} lines`,
          // names that nobody knows could not be replaced in it
          lines: minions && (await lastLines(join(home, "overlord.log"), LOG_LINES)),
        },
        {
          title: `Output "Func", last ${LOG_LINES} lines`,
          lines: await lastLines(join(logs, "Func.log"), LOG_LINES),
        },
        {
          title: `Output "Func Overlord", last ${LOG_LINES} lines`,
          lines: await lastLines(join(logs, "Func Overlord.log"), LOG_LINES),
        },
      ],
    }),
  );
  const document = await workspace.openTextDocument({ language: "markdown", content: text });
  await window.showTextDocument(document);
  await env.clipboard.writeText(text);
  void window.showInformationMessage(
    l10n.t("The diagnostics are in the clipboard. Read them before you send them to anybody."),
  );
}

/** Asks the overlord that this window has; none is started for it. */
async function statusOf({
  session,
}: Services): Promise<{ status?: OverlordStatus; problem: string }> {
  if (session.state.kind === "failed") return { problem: session.state.error.message };
  if (session.state.kind !== "connected") return { problem: "Not running, or not connected yet." };
  try {
    return { status: await session.request("overlord/status", {}), problem: "" };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** Whose names to replace: as the overlord says, else as its file says. Undefined where neither can. */
async function knownMinions(
  { session, minions }: Services,
  home: string,
): Promise<readonly Pick<MinionRecord, "name" | "address">[] | undefined> {
  try {
    if (session.state.kind === "connected") {
      minions.replace(await session.request("minions/list", {}));
      return minions.names().flatMap((name) => minions.get(name) ?? []);
    }
    const file: unknown = JSON.parse(await readFile(join(home, "inventory.json"), "utf8"));
    return recordsIn(file);
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return missing ? [] : undefined;
  }
}

/** Everything in the inventory that has a name and an address, whatever version wrote it. */
function recordsIn(value: unknown): { name: string; address: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, address } = value as Record<string, unknown>;
  const inner = Object.values(value).flatMap(recordsIn);
  return typeof name === "string" && typeof address === "string"
    ? [{ name, address }, ...inner]
    : inner;
}

function countsOf({ minions, session }: Services): Record<string, number> | undefined {
  if (session.state.kind !== "connected") return undefined;
  const counts: Record<string, number> = {};
  for (const name of minions.names()) {
    const state = minions.get(name)?.state ?? "unknown";
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

function versionsOf({ extension }: ExtensionContext, hasCommand: boolean): [string, string][] {
  const { version: own } = extension.packageJSON as { version: string };
  // of "ssh-remote+HOST" and of "HOST:PORT" only the kind is of interest
  const remote = env.remoteName?.split("+")[0];
  return [
    ["Extension", own],
    [
      "VS Code",
      `${version} (${env.appName}, ${env.uiKind === UIKind.Web ? "browser" : "desktop"})`,
    ],
    ["Node", `${process.version} (${process.execPath})`],
    ["System", `${process.platform} ${process.arch} ${release()}`],
    ["Remote", remote === undefined ? "no" : remote.includes(":") ? "server" : remote],
    ["Workspace", workspace.isTrusted ? "trusted" : "not trusted"],
    ["Command line", hasCommand ? "installed" : "not installed"],
  ];
}

/** Those that the user has set. */
function settingsOf({ extension }: ExtensionContext): Record<string, unknown> {
  const { contributes } = extension.packageJSON as {
    contributes: { configuration: { properties: object } };
  };
  const keys = Object.keys(contributes.configuration.properties);
  const settings = workspace.getConfiguration();
  return Object.fromEntries(keys.map((key) => [key, settings.get<unknown>(key)]));
}
