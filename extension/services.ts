import type { ExtensionContext, LogOutputChannel } from "vscode";
import type { CaPassphrase } from "./caPassphrase";
import type { DelegationMap } from "./delegationMap";
import type { RunFiles } from "./documents/runFiles";
import type { JobOutputs } from "./jobs/jobOutputs";
import type { JobTracker } from "./jobs/jobTracker";
import type { CommandLine } from "./commandLine/commandLine";
import type { HostTerminal } from "./hostTerminal";
import type { LocalMinions } from "./localMinions";
import type { OverlordSession } from "./overlordSession";
import type { RecentCalls } from "./recentCalls";
import type { CertificatesModel } from "./views/certificatesModel";
import type { CertificatesView } from "./views/certificatesView";
import type { GroupsModel } from "./views/groupsModel";
import type { JobsModel } from "./views/jobsModel";
import type { JobsView } from "./views/jobsView";
import type { MinionsModel } from "./views/minionsModel";
import type { MinionsView } from "./views/minionsView";
import type { ResultsPanels } from "./webviews/resultsPanels";

/** What the commands work with; made once in activate(). */
export interface Services {
  context: ExtensionContext;
  log: LogOutputChannel;
  session: OverlordSession;
  minions: MinionsModel;
  groups: GroupsModel;
  minionsView: MinionsView;
  certificates: CertificatesModel;
  certificatesView: CertificatesView;
  jobs: JobTracker;
  jobList: JobsModel;
  jobsView: JobsView;
  jobOutputs: JobOutputs;
  runFiles: RunFiles;
  results: ResultsPanels;
  delegationMap: DelegationMap;
  localMinions: LocalMinions;
  recentCalls: RecentCalls;
  commandLine: CommandLine;
  hostTerminal: HostTerminal;
  caPassphrase: CaPassphrase;
}
