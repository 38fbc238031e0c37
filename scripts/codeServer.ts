import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FuncError } from "../server/common/errors";
import { codeEnvironment, startGroup, type CodeLaunch, type RunningCode } from "./codeProcess";
import { root } from "./localOverlord";

const START_TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 16_384;

const SETTINGS = {
  "chat.disableAIFeatures": true,
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
  "remote.autoForwardPorts": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
};

const FLAGS = [
  "--accept-server-license-terms",
  ...["--telemetry-level", "off"],
  "--disable-workspace-trust",
  "--disable-getting-started-override",
  // the extension host ends soon after its page is closed, not after three hours
  ...["--reconnection-grace-time", "60"],
];

/** Starts VS Code as a server for the browser, with the extension as it is built in dist/. */
export async function startCodeServer(launch: CodeLaunch): Promise<RunningCode> {
  const { folder, workspace, env, signal } = launch;
  launch.onProgress("starting VS Code's server (the first time it is installed: about a minute)");
  const { node, main } = await install(signal);
  const user = join(folder, "user");
  const extensions = join(folder, "extensions");
  const temporary = join(folder, "tmp");
  for (const path of [join(user, "User"), extensions, temporary]) {
    await mkdir(path, { recursive: true });
  }
  await writeFile(join(user, "User", "settings.json"), JSON.stringify(SETTINGS));
  await symlink(root, join(extensions, await extensionFolderName()));
  // loopback is open to every user of this machine, and a terminal in here is a shell of this one
  const token = randomBytes(16).toString("hex");
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, token, { mode: 0o600 });
  const folders = ["--server-data-dir", join(folder, "data"), "--user-data-dir", user];
  const server = startGroup(
    node,
    [
      main,
      ...folders,
      "--extensions-dir",
      extensions,
      ...FLAGS,
      "--connection-token-file",
      tokenFile,
      "--host",
      "127.0.0.1",
      "--port",
      "0",
    ],
    codeEnvironment({
      // an empty address switches the marketplace off: no look-ups that fail
      EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: "" }),
      // its sockets go with the folder
      TMPDIR: temporary,
      ...env,
    }),
  );
  try {
    const port = await portOf(server.child, signal);
    const where = `http://127.0.0.1:${port}/?tkn=${token}&folder=${encodeURIComponent(workspace)}`;
    return { where, ended: server.ended, stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** `publisher.name-version`, as VS Code names the folders of extensions. */
async function extensionFolderName(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    publisher: string;
    name: string;
    version: string;
  };
  return `${manifest.publisher}.${manifest.name}-${manifest.version}`;
}

/** Installs the server where it is not yet, and says what to run. */
async function install(signal: AbortSignal): Promise<{ node: string; main: string }> {
  const installer = startGroup("bash", [join(root, "scripts", "install-vscode.sh")], process.env);
  const stop = (): void => void installer.stop();
  signal.addEventListener("abort", stop, { once: true });
  let output = "";
  installer.child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  installer.child.stderr?.on("data", (text: Buffer) => process.stderr.write(text));
  const status = await new Promise<number | null>((resolve, reject) => {
    installer.child.on("error", reject);
    installer.child.on("close", resolve);
  });
  signal.removeEventListener("abort", stop);
  if (signal.aborted) throw new FuncError("cancelled", "Installing VS Code was cancelled.");
  const installed = output.trim().split("\n").at(-1) ?? "";
  if (status !== 0 || installed === "") {
    throw new FuncError(
      "unavailable",
      "VS Code's server could not be installed: see the messages above.",
      "With VS Code's own `code` on PATH, npm start opens that.",
    );
  }
  const modules = join(installed, "node", "node_modules");
  const node = (await readdir(modules)).find((name) => name.startsWith("node-linux-"));
  if (node === undefined) {
    throw new FuncError("not-found", `${modules} has no Node.`, `Remove ${installed}, try again.`);
  }
  return {
    node: join(modules, node, "bin", "node"),
    main: join(installed, "package", "lib", "vscode", "out", "server-main.js"),
  };
}

function portOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const fail = (how: string): void => {
      reject(new FuncError("unavailable", `VS Code's server ${how}:\n${output}`));
    };
    const timer = setTimeout(() => {
      fail("did not start");
    }, START_TIMEOUT_MS);
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT);
      const port = /listening on (\d+)/.exec(output)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(port);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", () => {
      clearTimeout(timer);
      fail("ended");
    });
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new FuncError("cancelled", "Starting VS Code was cancelled."));
    });
  });
}
