import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, connect, type AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "./benchmark";
import { programPath } from "./debianPackages";
import { costOf } from "./processCost";

/** 127.0.1.1 to 127.0.1.100. */
export const SSH_HOSTS = Array.from({ length: 100 }, (_, index) => `127.0.1.${index + 1}`);
/** The same as clush and pdsh write it. */
export const SSH_HOST_RANGE = "127.0.1.[1-100]";
/** sshd takes 16 at most. */
const HOSTS_PER_SSHD = 10;
const START_TIMEOUT_MS = 15_000;

export type SshVariant = "default" | "curve25519" | "persist";

/** Hosts to log in to by ssh: sshd on 100 addresses of this machine, with keys of its own. */
export interface SshHosts {
  /** The ssh configuration file of a variant. */
  configuration(variant: SshVariant): string;
  /** Ends the connections that "persist" keeps. */
  forget(): Promise<void>;
}

/**
 * Starts the sshds; they end with the benchmark, or with this process. Nothing of the user's is read or
 * written: keys, configuration and known hosts are in the benchmark's folder, and HOME of each session is
 * an empty one, so that no shell start file runs.
 */
export async function startSshHosts(context: BenchContext): Promise<SshHosts> {
  const { folder } = context;
  const port = await freePort();
  const home = join(folder, "home");
  mkdirSync(home);
  // where sshd separates its privileges; Debian makes it when its service starts
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  for (const name of ["host", "user"]) {
    const command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)];
    await costOf(command, context);
  }
  const hostKey = readFileSync(join(folder, "host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  const known = SSH_HOSTS.map((host) => `[${host}]:${port} ${hostKey}\n`).join("");
  writeFileSync(join(folder, "known_hosts"), known);
  writeFileSync(join(folder, "authorized_keys"), readFileSync(join(folder, "user.pub")), {
    mode: 0o600,
  });
  await startDaemons(context, port, home);
  return {
    configuration: (variant) => clientConfiguration(folder, port, variant),
    forget: async () => {
      const config = clientConfiguration(folder, port, "persist");
      await Promise.all(
        SSH_HOSTS.map((host) => {
          const child = spawn("ssh", ["-F", config, "-O", "exit", host], { stdio: "ignore" });
          return once(child, "exit");
        }),
      );
    },
  };
}

async function startDaemons(context: BenchContext, port: number, home: string): Promise<void> {
  const { folder, signal } = context;
  const sshd = programPath("sshd") ?? "sshd";
  const files: string[] = [];
  for (let at = 0; at < SSH_HOSTS.length; at += HOSTS_PER_SSHD) {
    const file = join(folder, `sshd_config_${at}`);
    const lines = [
      `Port ${port}`,
      ...SSH_HOSTS.slice(at, at + HOSTS_PER_SSHD).map((host) => `ListenAddress ${host}`),
      `HostKey ${join(folder, "host")}`,
      `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
      "AuthenticationMethods publickey",
      // the benchmark's folder is in /tmp, which others may write to
      "StrictModes no",
      "MaxStartups 1000",
      "PidFile none",
      "PrintMotd no",
      `SetEnv HOME=${home}`,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    files.push(file);
  }
  // the shell ends them when its input does, also where this process is killed
  const script =
    'sshd=$1; shift; for file; do "$sshd" -D -f "$file" & done; read -r _; kill $(jobs -p); wait';
  const shell = spawn("bash", ["-c", script, "sshds", sshd, ...files], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let words = "";
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  context.onEnd(async () => {
    const gone = once(shell, "exit");
    shell.stdin.end();
    await gone;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (const host of SSH_HOSTS) {
    while (!(await answers(host, port))) {
      signal.throwIfAborted();
      if (Date.now() > deadline) throw new Error(`sshd did not start: ${words.slice(-500)}`);
      await sleep(50);
    }
  }
}

function clientConfiguration(folder: string, port: number, variant: SshVariant): string {
  const file = join(folder, `ssh_config_${variant}`);
  const lines = [
    "Host *",
    `Port ${port}`,
    `User ${userInfo().username}`,
    `IdentityFile ${join(folder, "user")}`,
    "IdentitiesOnly yes",
    "IdentityAgent none",
    "BatchMode yes",
    "StrictHostKeyChecking yes",
    `UserKnownHostsFile ${join(folder, "known_hosts")}`,
    "GlobalKnownHostsFile none",
    ...(variant === "default" ? [] : ["KexAlgorithms curve25519-sha256"]),
    ...(variant === "persist"
      ? ["ControlMaster auto", `ControlPath ${join(folder, "cm-%h")}`, "ControlPersist 120"]
      : []),
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket
      .once("connect", () => {
        end(true);
      })
      .once("error", () => {
        end(false);
      });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, SSH_HOSTS[0]);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
