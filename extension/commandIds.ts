/** Every command of the extension. The manifest, the registration and the tests go by this list. */
export const COMMANDS = {
  callMethod: "func.callMethod",
  ping: "func.ping",
  runCommand: "func.runCommand",
  tryLocalMinions: "func.tryLocalMinions",
  stopLocalMinions: "func.stopLocalMinions",
  createJoinToken: "func.createJoinToken",
  editAddress: "func.editAddress",
  forgetMinion: "func.forgetMinion",
  refreshMinions: "func.refreshMinions",
  findMinion: "func.findMinion",
  showLog: "func.showLog",
  showResults: "func.showResults",
  cancelJob: "func.cancelJob",
  retry: "func.retry",
  callAgain: "func.callAgain",
  callLastAgain: "func.callLastAgain",
  addToGroup: "func.addToGroup",
  removeFromGroup: "func.removeFromGroup",
  deleteGroup: "func.deleteGroup",
  openGroupsFile: "func.openGroupsFile",
  installCommandLine: "func.installCommandLine",
  removeCommandLine: "func.removeCommandLine",
  copyDiagnostics: "func.copyDiagnostics",
  openWalkthrough: "func.openWalkthrough",
  exportResults: "func.exportResults",
  copyResult: "func.copyResult",
  openResult: "func.openResult",
  callAgainOnResult: "func.callAgainOnResult",
  compareWithSelected: "func.compareWithSelected",
  nextPart: "func.nextPart",
  previousPart: "func.previousPart",
  saveOutput: "func.saveOutput",
  compareResults: "func.compareResults",
  approveRequest: "func.approveRequest",
  denyRequest: "func.denyRequest",
  revokeCertificate: "func.revokeCertificate",
  closeJoinToken: "func.closeJoinToken",
  allowRequests: "func.allowRequests",
  stopRequests: "func.stopRequests",
  exportCrl: "func.exportCrl",
  copyFingerprint: "func.copyFingerprint",
  addHost: "func.addHost",
  removeHost: "func.removeHost",
  backUpOverlord: "func.backUpOverlord",
} as const;

export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

/** Ids of the trees in the view container. */
export const MINIONS_VIEW = "func.minions";
export const CERTIFICATES_VIEW = "func.certificates";
export const RESULTS_PANEL = "func.results";
