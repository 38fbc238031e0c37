import { join } from "node:path";
import { l10n, languages, ProgressLocation, Uri, window, workspace } from "vscode";
import { FuncError } from "../server/common/errors";
import type { MapBuildResult } from "../server/protocol/delegation";
import { requireTrust } from "./calls";
import { signalOf } from "./cancellation";
import { MAP_LANGUAGE, MapLanguage } from "./mapLanguage";
import type { Services } from "./services";
import { overlordHome } from "./settings";

/** The overlord knows when to give up; nothing here does before. */
const BUILD_TIMEOUT_MS = 24 * 60 * 60_000;
/** Hosts that are named in a notification. */
const MAX_NAMED = 5;

let language: MapLanguage | undefined;

/** From now on map files have diagnostics, completion and hover. */
export function watchMapFiles({ session }: Services): void {
  language ??= new MapLanguage(session);
}

/** Asks for a new delegation map and tells what is different. */
export async function buildMap(services: Services): Promise<void> {
  requireTrust();
  const connection = await services.session.connection();
  const built = await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: l10n.t("Building the delegation map"),
      cancellable: true,
    },
    async (progress, token) => {
      const watching = connection.on("map/building", ({ asked, known }) => {
        progress.report({ message: l10n.t("{0} asked, {1} hosts known", asked, known) });
      });
      const options = { signal: signalOf(token), timeoutMs: BUILD_TIMEOUT_MS };
      return connection.request("map/build", {}, options).finally(() => {
        watching.dispose();
      });
    },
  );
  const show = l10n.t("Show Map");
  const problems = built.problems.length + built.moreProblems;
  const chosen =
    problems > 0 || built.rekeyed.length > 0
      ? await window.showWarningMessage(summaryOf(built), show)
      : await window.showInformationMessage(summaryOf(built), show);
  if (chosen === show) await services.delegationMap.show();
}

/** Opens `<data>/map` as a text. */
export async function openMapFile(services: Services): Promise<void> {
  const { state } = services.session;
  const home = state.kind === "connected" ? state.hello.dataDirectory : overlordHome();
  const file = join(home, "map");
  watchMapFiles(services);
  const document = await Promise.resolve(workspace.openTextDocument(Uri.file(file))).catch(() => {
    throw new FuncError(
      "not-found",
      `There is no delegation map yet: ${file} does not exist.`,
      "Run Func: Build Delegation Map first.",
    );
  });
  await window.showTextDocument(await languages.setTextDocumentLanguage(document, MAP_LANGUAGE));
}

function summaryOf(built: MapBuildResult): string {
  const { before, hosts, added, removed, rekeyed, problems } = built;
  const parts = [l10n.t("The delegation map has {0} hosts.", hosts)];
  if (before === "none") parts.push(l10n.t("There was none before."));
  else if (before !== "good") parts.push(l10n.t("The damaged one is replaced."));
  if (added.length > 0) parts.push(l10n.t("New: {0}.", namesOf(added)));
  if (removed.length > 0) parts.push(l10n.t("Gone: {0}.", namesOf(removed)));
  if (rekeyed.length > 0) parts.push(l10n.t("With another key: {0}.", namesOf(rekeyed)));
  const [first] = problems;
  if (first) parts.push(`${first.path.join("/")}: ${first.message}`, first.nextStep ?? "");
  if (problems.length > 1) parts.push(l10n.t("So with {0} more hosts.", problems.length - 1));
  return parts.filter((part) => part !== "").join(" ");
}

function namesOf(paths: readonly string[][]): string {
  const named = paths.slice(0, MAX_NAMED).map((path) => path.join("/"));
  const more = paths.length - named.length;
  return more > 0 ? l10n.t("{0} and {1} more", named.join(", "), more) : named.join(", ");
}
