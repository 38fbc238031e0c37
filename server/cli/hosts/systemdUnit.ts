import { UNIT_MARKER } from "./remoteScripts";

export interface UnitParams {
  scope: "system" | "user";
  /** Of the minion. */
  name: string;
  node: string;
  /** Of the minion, on the host. */
  home: string;
}

/**
 * The text of the unit that runs funcd. Name and paths follow grammars without blanks, quotes and "%", so that
 * nothing in them means anything to systemd.
 */
export function systemdUnit({ scope, name, node, home }: UnitParams): string {
  const isSystem = scope === "system";
  return `${UNIT_MARKER} "func remove-host ${name}" takes it away again.
# Changes of your own belong into a drop-in: systemctl ${isSystem ? "" : "--user "}edit UNIT
#
# funcd runs what the overlord asks for, and that has to find the host as ${isSystem ? "root" : "this user"} finds it after a login:
# packages are installed, files in /etc and /home changed, services restarted. Whatever systemd takes from a
# service it takes from these commands too, therefore there is here
#   no NoNewPrivileges, RestrictSUIDSGID: sudo, su and mount would fail in every command
#   no ProtectSystem, ProtectHome, PrivateTmp, PrivateDevices: commands would see another host than a login does
#   no SystemCallFilter, CapabilityBoundingSet, RestrictAddressFamilies: any command may need any of them
#   no MemoryDenyWriteExecute: Node compiles at run time
# What may be called, and by whom, is funcd's own business: client certificates, roles and its access lists.
[Unit]
Description=Func minion ${name}
ConditionPathExists=${home}/pki/minion.crt
${isSystem ? "Wants=network-online.target\nAfter=network-online.target\n" : ""}StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=simple
ExecStart=${node} ${home}/program/funcd.js --home ${home}
# a restart ends funcd alone: jobs that it started go on, and it finds them again
KillMode=process
TimeoutStopSec=20
Restart=on-failure
RestartSec=5
# wrong usage does not get better
RestartPreventExitStatus=2
# a command that runs out of memory must not take funcd with it
OOMPolicy=continue
# no memory image with the private key on the disk; a command may raise it for itself
LimitCORE=0:infinity
# keys of the kernel's keyring are not shared with logins
KeyringMode=private
# nothing that was set for the whole system may change how funcd's Node runs
UnsetEnvironment=NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED

[Install]
WantedBy=${isSystem ? "multi-user.target" : "default.target"}
`;
}
