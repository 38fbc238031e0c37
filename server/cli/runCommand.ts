import { address } from "./commands/address";
import { auditShow, auditVerify } from "./commands/audit";
import { caAccept } from "./commands/caAccept";
import { caCrl } from "./commands/caCrl";
import { caForget } from "./commands/caForget";
import { caImport } from "./commands/caImport";
import { caList } from "./commands/caList";
import { caOperator } from "./commands/caOperator";
import { caApproval, caApprove, caClose, caDeny, caWaiting } from "./commands/caRequests";
import { caRevoke } from "./commands/caRevoke";
import { caRotate } from "./commands/caRotate";
import { caSign } from "./commands/caSign";
import { caToken } from "./commands/caToken";
import { caPassphrase, caUnlock } from "./commands/caPassphrase";
import { caRenew } from "./commands/caRenew";
import { buildMap } from "./commands/buildMap";
import { call } from "./commands/call";
import { certmasterCa } from "./commands/certmasterCa";
import { groupAdd, groupList, groupRemove } from "./commands/group";
import { jobStatus } from "./commands/jobStatus";
import { jobsCancel } from "./commands/jobsCancel";
import { jobsDelete } from "./commands/jobsDelete";
import { jobsFollow } from "./commands/jobsFollow";
import { jobsList } from "./commands/jobsList";
import { jobsRetry } from "./commands/jobsRetry";
import { jobsSearch } from "./commands/jobsSearch";
import { jobsShow } from "./commands/jobsShow";
import { listMinions } from "./commands/listMinions";
import { mapCheck, mapPath, mapShow } from "./commands/map";
import { methods } from "./commands/methods";
import { overlordBackup, overlordMove, overlordRestore } from "./commands/overlordBackup";
import { installService, removeService } from "./commands/overlordService";
import { overlordStatus, overlordStop } from "./commands/overlord";
import { ping } from "./commands/ping";
import { subOverlordInit } from "./commands/subOverlordInit";
import { subOverlordRemove } from "./commands/subOverlordRemove";
import { subOverlordStatus } from "./commands/subOverlordStatus";
import { EXIT_OK } from "./exitStatus";
import { addHosts } from "./hosts/addHosts";
import { removeHost } from "./hosts/removeHost";
import { helpText } from "./help";
import type { Command } from "./parse";
import type { Session } from "./session";

declare const __VERSION__: string;

/** Runs one command and gives its exit status. Throws FuncError. */
export async function runCommand(command: Command, session: Session): Promise<number> {
  switch (command.kind) {
    case "help":
      session.out.result(helpText(command.topic));
      return EXIT_OK;
    case "version":
      session.out.result(`func ${__VERSION__}\n`);
      return EXIT_OK;
    case "call":
      return call(session, command);
    case "ping":
      return ping(session, command.spec);
    case "listMinions":
      return listMinions(session, command.spec);
    case "methods":
      return methods(session, command.spec, command.module);
    case "jobStatus":
      return jobStatus(session, command);
    case "caToken": {
      const { nameGlob, ttlMs, addresses, at } = command;
      return caToken(session, at, {
        ...(nameGlob !== undefined && { nameGlob }),
        ...(ttlMs !== undefined && { ttlMs }),
        ...(addresses.length > 0 && { addresses }),
      });
    }
    case "caList":
      return caList(session, command.at);
    case "caPassphrase":
      return caPassphrase(session, command);
    case "caUnlock":
      return caUnlock(session, command);
    case "caRenew":
      return caRenew(session, command.spec);
    case "caRotate":
      return caRotate(session, command);
    case "caForget":
      return caForget(session, command.names, command.yes);
    case "caRevoke":
      return caRevoke(session, command);
    case "caCrl":
      return caCrl(session, command);
    case "addHost":
      return addHosts(session, command);
    case "removeHost":
      return removeHost(session, command);
    case "caSign":
      return caSign(session, command);
    case "caOperator":
      return caOperator(session, command);
    case "caImport":
      return caImport(session, command);
    case "caAccept":
      return caAccept(session, command);
    case "caWaiting":
      return caWaiting(session, command.at);
    case "caApprove":
      return caApprove(session, command);
    case "caDeny":
      return caDeny(session, command);
    case "caApproval":
      return caApproval(session, command);
    case "caClose":
      return caClose(session, command);
    case "certmasterCa":
      return certmasterCa(session, command);
    case "groupList":
      return groupList(session);
    case "groupAdd":
      return groupAdd(session, command.name, command.hosts);
    case "groupRemove":
      return groupRemove(session, command.name, command.hosts);
    case "overlordStatus":
      return overlordStatus(session);
    case "overlordStop":
      return overlordStop(session, command.force);
    case "auditShow":
      return auditShow(session, command);
    case "auditVerify":
      return auditVerify(session);
    case "address":
      return address(session, command);
    case "overlordBackup":
      return overlordBackup(session, command);
    case "overlordMove":
      return overlordMove(session, command);
    case "installService":
      return installService(session, command.print);
    case "removeService":
      return removeService(session);
    case "overlordRestore":
      return overlordRestore(session, command);
    case "jobsList":
      return jobsList(session, command);
    case "jobsShow":
      return jobsShow(session, command);
    case "jobsFollow":
      return jobsFollow(session, command);
    case "jobsCancel":
      return jobsCancel(session, command.job);
    case "jobsRetry":
      return jobsRetry(session, command);
    case "jobsDelete":
      return jobsDelete(session, command);
    case "jobsSearch":
      return jobsSearch(session, command);
    case "buildMap":
      return buildMap(session, command);
    case "mapShow":
      return mapShow(session, command);
    case "mapPath":
      return mapPath(session, command);
    case "mapCheck":
      return mapCheck(session, command);
    case "subOverlordInit":
      return subOverlordInit(session, command);
    case "subOverlordStatus":
      return subOverlordStatus(session, command);
    case "subOverlordRemove":
      return subOverlordRemove(session, command);
  }
}
