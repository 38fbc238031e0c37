import { join } from "node:path";
import { window, workspace, type ExtensionContext } from "vscode";
import { messageOf } from "../server/common/errors";
import { CaPassphrase } from "./caPassphrase";
import { registerCertificateNotices } from "./certificateNotices";
import { CommandLine } from "./commandLine/commandLine";
import { dropOnGroup } from "./commands/addToGroup";
import { registerCommands } from "./commands/registerCommands";
import { DelegationMap } from "./delegationMap";
import { registerPartContext } from "./documents/partContext";
import { registerResultFiles } from "./documents/resultFiles";
import { RunFiles } from "./documents/runFiles";
import { HostTerminal } from "./hostTerminal";
import { JobOutputs } from "./jobs/jobOutputs";
import { JobTracker } from "./jobs/jobTracker";
import { whenMapFileOpens } from "./lazyCommands";
import { LocalMinions } from "./localMinions";
import { OverlordSession } from "./overlordSession";
import { RecentCalls } from "./recentCalls";
import type { Services } from "./services";
import { registerSessionNotices } from "./sessionNotices";
import { createStatusBar } from "./statusBar";
import { BehindModel } from "./views/behindModel";
import { CertificatesModel } from "./views/certificatesModel";
import { CertificatesView } from "./views/certificatesView";
import { GroupsModel } from "./views/groupsModel";
import { JobsModel } from "./views/jobsModel";
import { JobsView } from "./views/jobsView";
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
  const groups = new GroupsModel(session, minions);
  const behind = new BehindModel(session);
  const minionsView = new MinionsView(session, minions, groups, behind, (nodes, group) =>
    dropOnGroup(services, nodes, group),
  );
  const certificates = new CertificatesModel(session);
  const certificatesView = new CertificatesView(session, certificates);
  const caPassphrase = new CaPassphrase(context.secrets, session, certificates);
  const jobs = new JobTracker(session);
  const jobList = new JobsModel(session);
  const jobsView = new JobsView(session, jobList);
  const jobOutputs = new JobOutputs(session);
  const runFiles = new RunFiles(session);
  const localMinions = new LocalMinions(session, join(dist, "funcd.js"));
  const recentCalls = new RecentCalls(context.workspaceState);
  const commandLine = new CommandLine(context, join(dist, "func.js"));
  const results = new ResultsPanels(context.extensionUri, () => services);
  const delegationMap = new DelegationMap(() => services);
  const services: Services = {
    context,
    log,
    session,
    minions,
    groups,
    minionsView,
    certificates,
    certificatesView,
    jobs,
    jobList,
    jobsView,
    jobOutputs,
    runFiles,
    results,
    delegationMap,
    localMinions,
    recentCalls,
    commandLine,
    hostTerminal: new HostTerminal(join(dist, "func.js")),
    caPassphrase,
  };
  running = services;
  // disposed in reverse: what uses the session before the session
  context.subscriptions.push(
    log,
    session,
    jobs,
    jobList,
    jobsView,
    jobOutputs,
    behind,
    minionsView,
    certificates,
    certificatesView,
    caPassphrase,
    results,
    results.registerSerializer(),
    delegationMap,
    delegationMap.registerSerializer(),
    registerResultFiles(session),
    runFiles.register(),
    registerPartContext(),
    createStatusBar(session, jobList),
    registerSessionNotices(session),
    registerCertificateNotices({
      session,
      minions,
      certificates,
      certificatesView,
      memento: context.globalState,
    }),
    registerCommands(services),
    whenMapFileOpens(services),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("func.home")) void refreshCommandLine();
      if (!change.affectsConfiguration("func.home") || session.state.kind === "idle") return;
      session.reconnect().catch(() => undefined);
    }),
  );
  void refreshCommandLine();

  /** What cannot be written now is written at the next start. */
  async function refreshCommandLine(): Promise<void> {
    try {
      await commandLine.refresh();
    } catch (error) {
      log.warn(messageOf(error));
    }
  }
}

/** Stops the local minions; the overlord goes on, it belongs to all windows. */
export async function deactivate(): Promise<void> {
  await running?.localMinions.stop();
  running = undefined;
}
