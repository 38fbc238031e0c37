export interface OverlordUnitParams {
  scope: "system" | "user";
  node: string;
  script: string;
  dataDirectory: string;
}

/** First words of every unit that is ours: nothing else is ever replaced or removed. */
export const OVERLORD_UNIT_MARKER = "# Made by func overlord install-service.";
export const OVERLORD_UNIT = "func-overlord.service";

/** The text of the unit that keeps an overlord running. */
export function overlordUnit({ scope, node, script, dataDirectory }: OverlordUnitParams): string {
  const isSystem = scope === "system";
  const command = [node, script, "--home", dataDirectory, "--stay"].map(quoted).join(" ");
  return `${OVERLORD_UNIT_MARKER} "func overlord remove-service" takes it away again.
[Unit]
Description=Func overlord of ${dataDirectory.replaceAll("%", "%%")}
${isSystem ? "Wants=network-online.target\nAfter=network-online.target\n" : ""}StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=simple
ExecStart=${command}
TimeoutStopSec=20
Restart=on-failure
RestartSec=5
# it connects, listens for new hosts while a token is open, and writes its data directory: it needs no more
NoNewPrivileges=yes
ProtectKernelTunables=${isSystem ? "yes" : "no"}
ProtectControlGroups=${isSystem ? "yes" : "no"}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
LockPersonality=yes
LimitCORE=0:0
LimitNOFILE=65536
UMask=0077
UnsetEnvironment=NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED

[Install]
WantedBy=${isSystem ? "multi-user.target" : "default.target"}
`;
}

/** A word of ExecStart: quoted, and nothing in it means anything to systemd. */
function quoted(word: string): string {
  const escaped = word
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$");
  return `"${escaped}"`;
}
