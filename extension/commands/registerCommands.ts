import { commands, Disposable } from "vscode";
import { COMMANDS, type CommandId } from "../commandIds";
import { showError } from "../errors";
import { buildMap, copyDiagnostics, openMapFile, searchJobs } from "../lazyCommands";
import type { Services } from "../services";
import { addHost } from "./addHost";
import { addToGroup } from "./addToGroup";
import { allowRequests, stopRequests } from "./allowRequests";
import { approveRequest } from "./approveRequest";
import { backUpOverlord } from "./backUpOverlord";
import { callAgain, callLastAgain } from "./callAgain";
import { callMethod, callWithOptions } from "./callMethod";
import { cancelJob } from "./cancelJob";
import { closeJoinToken } from "./closeJoinToken";
import { compareResults } from "./compareResults";
import { compareRuns } from "./compareRuns";
import { copyFingerprint } from "./copyFingerprint";
import { copyJobId } from "./copyJobId";
import { createJoinToken } from "./createJoinToken";
import { deleteGroup } from "./deleteGroup";
import { deleteJobs } from "./deleteJobs";
import { denyRequest } from "./denyRequest";
import { editAddress } from "./editAddress";
import { exportCrl } from "./exportCrl";
import { exportResults } from "./exportResults";
import { clearJobFilter, filterJobs } from "./filterJobs";
import { findMinion } from "./findMinion";
import { followOutput } from "./followOutput";
import { forgetMinion } from "./forgetMinion";
import { installCommandLine } from "./installCommandLine";
import { openGroupsFile } from "./openGroupsFile";
import { openJob } from "./openJob";
import { openWalkthrough } from "./openWalkthrough";
import { ping } from "./ping";
import { refreshJobs, showOlderJobs } from "./refreshJobs";
import { refreshMinions } from "./refreshMinions";
import { removeCommandLine } from "./removeCommandLine";
import { removeFromGroup } from "./removeFromGroup";
import { removeHost } from "./removeHost";
import { callAgainOnResult, compareWithSelected, copyResult, openResultOfRow } from "./resultsMenu";
import { retry } from "./retry";
import { retryJob } from "./retryJob";
import { revokeCertificate } from "./revokeCertificate";
import { runAgain, runAgainOn } from "./runAgain";
import { runCommand, runCommandWithOptions } from "./runCommand";
import { saveOutput } from "./saveOutput";
import { setCaPassphrase } from "./setCaPassphrase";
import { showLog } from "./showLog";
import { copyHostName, openHostResults, showCallPath, showMap } from "./showMap";
import { nextPart, previousPart } from "./showPart";
import { showResults } from "./showResults";
import { stopLocalMinions } from "./stopLocalMinions";
import { tryLocalMinions } from "./tryLocalMinions";
import { unlockCa } from "./unlockCa";

/** Tree commands get the item they were called on and, with several selected, all of them. */
type Handler = (services: Services, item?: unknown, items?: unknown) => Promise<void>;

/** One handler per command: the type sees to it that none is forgotten. */
const HANDLERS: Record<CommandId, Handler> = {
  [COMMANDS.callMethod]: callMethod,
  [COMMANDS.callWithOptions]: callWithOptions,
  [COMMANDS.runCommandWithOptions]: runCommandWithOptions,
  [COMMANDS.ping]: ping,
  [COMMANDS.runCommand]: runCommand,
  [COMMANDS.tryLocalMinions]: tryLocalMinions,
  [COMMANDS.stopLocalMinions]: stopLocalMinions,
  [COMMANDS.createJoinToken]: createJoinToken,
  [COMMANDS.editAddress]: editAddress,
  [COMMANDS.forgetMinion]: forgetMinion,
  [COMMANDS.refreshMinions]: refreshMinions,
  [COMMANDS.findMinion]: findMinion,
  [COMMANDS.showLog]: showLog,
  [COMMANDS.showResults]: showResults,
  [COMMANDS.cancelJob]: cancelJob,
  [COMMANDS.retry]: retry,
  [COMMANDS.callAgain]: callAgain,
  [COMMANDS.callLastAgain]: callLastAgain,
  [COMMANDS.addToGroup]: addToGroup,
  [COMMANDS.removeFromGroup]: removeFromGroup,
  [COMMANDS.deleteGroup]: deleteGroup,
  [COMMANDS.openGroupsFile]: openGroupsFile,
  [COMMANDS.installCommandLine]: installCommandLine,
  [COMMANDS.removeCommandLine]: removeCommandLine,
  [COMMANDS.copyDiagnostics]: copyDiagnostics,
  [COMMANDS.openWalkthrough]: openWalkthrough,
  [COMMANDS.exportResults]: exportResults,
  [COMMANDS.copyResult]: copyResult,
  [COMMANDS.openResult]: openResultOfRow,
  [COMMANDS.callAgainOnResult]: callAgainOnResult,
  [COMMANDS.compareWithSelected]: compareWithSelected,
  [COMMANDS.nextPart]: nextPart,
  [COMMANDS.previousPart]: previousPart,
  [COMMANDS.saveOutput]: saveOutput,
  [COMMANDS.compareResults]: compareResults,
  [COMMANDS.approveRequest]: approveRequest,
  [COMMANDS.denyRequest]: denyRequest,
  [COMMANDS.revokeCertificate]: revokeCertificate,
  [COMMANDS.closeJoinToken]: closeJoinToken,
  [COMMANDS.allowRequests]: allowRequests,
  [COMMANDS.stopRequests]: stopRequests,
  [COMMANDS.exportCrl]: exportCrl,
  [COMMANDS.copyFingerprint]: copyFingerprint,
  [COMMANDS.addHost]: addHost,
  [COMMANDS.removeHost]: removeHost,
  [COMMANDS.backUpOverlord]: backUpOverlord,
  [COMMANDS.unlockCa]: unlockCa,
  [COMMANDS.setCaPassphrase]: setCaPassphrase,
  [COMMANDS.openJob]: openJob,
  [COMMANDS.showOlderJobs]: showOlderJobs,
  [COMMANDS.refreshJobs]: refreshJobs,
  [COMMANDS.filterJobs]: filterJobs,
  [COMMANDS.clearJobFilter]: clearJobFilter,
  [COMMANDS.searchJobs]: searchJobs,
  [COMMANDS.retryJob]: retryJob,
  [COMMANDS.runAgain]: runAgain,
  [COMMANDS.runAgainOn]: runAgainOn,
  [COMMANDS.followOutput]: followOutput,
  [COMMANDS.compareRuns]: compareRuns,
  [COMMANDS.copyJobId]: copyJobId,
  [COMMANDS.deleteJobs]: deleteJobs,
  [COMMANDS.showMap]: showMap,
  [COMMANDS.buildMap]: buildMap,
  [COMMANDS.openMapFile]: openMapFile,
  [COMMANDS.showCallPath]: showCallPath,
  [COMMANDS.openHostResults]: openHostResults,
  [COMMANDS.copyHostName]: copyHostName,
};

/** Registers every command; what one throws is shown to the user. */
export function registerCommands(services: Services): Disposable {
  const registrations = Object.entries(HANDLERS).map(([id, handler]) =>
    commands.registerCommand(id, async (item?: unknown, items?: unknown) => {
      try {
        await handler(services, item, items);
      } catch (error) {
        // that the overlord cannot be reached is said once, with a way to retry
        const { state } = services.session;
        if (state.kind !== "failed" || state.error !== error) void showError(error);
      }
    }),
  );
  return Disposable.from(...registrations);
}
