import { join } from "node:path";
import { window, workspace, type ExtensionContext } from "vscode";
import { registerCommands } from "./commands/registerCommands";
import { registerResultDocuments } from "./documents/resultDocuments";
import { JobTracker } from "./jobs/jobTracker";
import { LocalMinions } from "./localMinions";
import { OverlordSession } from "./overlordSession";
import type { Services } from "./services";
import { registerSessionNotices } from "./sessionNotices";
import { createStatusBar } from "./statusBar";
import { MinionsModel } from "./views/minionsModel";
import { MinionsView } from "./views/minionsView";
import { ResultsPanels } from "./webviews/resultsPanels";

let running: Services | undefined;

/** Registers everything and returns: nothing is started before a view is seen or a command is run. */
export function activate(context: ExtensionContext): void {
  const dist = join(context.extensionPath, "dist");
  const log = window.createOutputChannel("Func", { log: true });
  const session = new OverlordSession(join(dist, "overlord.js"), log);
  const minions = new MinionsModel();
  const minionsView = new MinionsView(session, minions);
  const jobs = new JobTracker(session);
  const localMinions = new LocalMinions(session, join(dist, "funcd.js"));
  const results = new ResultsPanels(context.extensionUri, () => services);
  const services: Services = {
    context,
    log,
    session,
    minions,
    minionsView,
    jobs,
    results,
    localMinions,
  };
  running = services;
  // disposed in reverse: what uses the session before the session
  context.subscriptions.push(
    log,
    session,
    jobs,
    minionsView,
    results,
    results.registerSerializer(),
    registerResultDocuments(session),
    createStatusBar(session, jobs),
    registerSessionNotices(session),
    registerCommands(services),
    workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration("func.home") || session.state.kind === "idle") return;
      session.reconnect().catch(() => undefined);
    }),
  );
}

/** Stops the local minions; the overlord goes on, it belongs to all windows. */
export async function deactivate(): Promise<void> {
  await running?.localMinions.stop();
  running = undefined;
}
