import { commands, env, l10n, Uri, window } from "vscode";
import { FuncError } from "../../server/common/errors";
import { COMMANDS } from "../commandIds";
import type { Services } from "../services";
import type { HostAction } from "./mapProtocol";

/** Does what an entry of a host's menu, or a button of its card says. Throws FuncError. */
export async function actOnHost(
  services: Services,
  action: HostAction,
  path: readonly string[],
): Promise<void> {
  const name = path.at(-1) ?? "";
  switch (action) {
    case "runCommand":
    case "callMethod":
    case "ping":
      await commands.executeCommand(COMMANDS[action], { funcPath: path });
      return;
    case "openResults":
      return openResultsOf(services, name);
    case "copyName":
      await env.clipboard.writeText(name);
      window.setStatusBarMessage(l10n.t("Copied {0}", name), 3_000);
      return;
  }
}

/** Shows the results of the last job that had the host. */
async function openResultsOf({ session, results }: Services, minion: string): Promise<void> {
  const { jobs } = await session.request("jobs/list", { minion, limit: 1 });
  const [last] = jobs;
  if (last) {
    results.show(last.id);
    return;
  }
  throw new FuncError(
    "not-found",
    l10n.t("No job had {0} so far, or it was deleted.", minion),
    l10n.t("Call something there first."),
  );
}

/** Opens the map's file as text, to be mended. */
export async function openMapFile({ session }: Services, file: string | undefined): Promise<void> {
  const { hello } = await session.connection();
  const uri =
    file === undefined ? Uri.joinPath(Uri.file(hello.dataDirectory), "map") : Uri.file(file);
  await window.showTextDocument(uri);
}
