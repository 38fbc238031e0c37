import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, VSCODE_VERSION, VSIX } from "./paths";
import { killQuietly } from "./processes";
import { USER_SETTINGS } from "./userSettings";

const START_MS = 60_000;
const STOP_MS = 5_000;

/** A VS Code server with its own throw-away folders, the extension installed from its vsix. */
export interface VscodeServer {
  /** Address of the workbench, with a folder open. */
  url: string;
  /** Log files of VS Code, its extension host and our output channels. */
  logFolder: string;
  /** Where VS Code keeps the user's settings and what extensions store. */
  userFolder: string;
  /** Whether terminals work: not where their native module is neither shipped nor built. */
  hasTerminals: boolean;
  /** What the server wrote. */
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts VS Code; its extension host (and what that starts) has `env` on top of ours. `extensions`: files
 * of extensions beside ours.
 */
export async function startVscode(
  env: Record<string, string>,
  extensions: readonly string[] = [],
): Promise<VscodeServer> {
  const { node, main } = findVscode();
  // short: the names of Unix sockets in it have 107 characters at most
  const base = mkdtempSync(join(tmpdir(), "vs-"));
  const user = join(base, "user");
  const workspace = join(base, "workspace");
  for (const folder of ["data", "user/User", "extensions", "workspace", "tmp"]) {
    mkdirSync(join(base, folder), { recursive: true });
  }
  writeFileSync(join(user, "User", "settings.json"), JSON.stringify(USER_SETTINGS));
  writeFileSync(join(workspace, "README.md"), "# Workspace under test\n");

  const common = [
    ["--server-data-dir", join(base, "data")],
    ["--user-data-dir", user],
    ["--extensions-dir", join(base, "extensions")],
    ["--accept-server-license-terms", "--telemetry-level", "off", "--disable-telemetry"],
  ].flat();
  const options = { env: environment(join(base, "tmp"), env), cwd: base };
  try {
    const installed = [VSIX, ...extensions].flatMap((file) => ["--install-extension", file]);
    execFileSync(node, [main, ...common, ...installed, "--force"], {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }

  const server = spawn(
    node,
    [main, ...common, "--host", "127.0.0.1", "--port", "0", ...SERVER_FLAGS],
    { ...options, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  // the whole group: extension host and terminals end with the server, however this process ends
  const remove = (): void => {
    if (server.pid !== undefined) killQuietly(-server.pid, "SIGKILL");
    rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", remove);
  let output = "";
  const exit = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`VS Code ${why}:\n${output}`));
    const timer = setTimeout(() => fail("did not start"), START_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /listening on (\d+)/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.once("exit", () => fail("ended"));
  });
  return {
    url: `http://127.0.0.1:${port}/?folder=${encodeURIComponent(workspace)}`,
    logFolder: join(user, "logs"),
    userFolder: join(user, "User"),
    hasTerminals: ["prebuilds", "build/Release/pty.node"].some((built) =>
      existsSync(join(main, "../../node_modules/node-pty", built)),
    ),
    output: () => output,
    async stop() {
      if (server.pid !== undefined) killQuietly(-server.pid, "SIGTERM");
      await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, STOP_MS))]);
      process.off("exit", remove);
      remove();
    },
  };
}

const SERVER_FLAGS = [
  "--without-connection-token", // loopback only
  "--disable-workspace-trust",
  "--disable-experiments",
  "--disable-getting-started-override",
  "--disable-websocket-compression",
  // the extension host ends soon after its page is closed, not after three hours
  ...["--reconnection-grace-time", "1"],
];

function findVscode(): { node: string; main: string } {
  const cache =
    process.env.VSCODE_E2E_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "vscode-e2e");
  const folder = join(cache, `code-server-${VSCODE_VERSION}`);
  if (!existsSync(join(folder, ".complete"))) {
    execFileSync(join(ROOT, "scripts", "install-vscode.sh"), [VSCODE_VERSION], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const modules = join(folder, "node", "node_modules");
  const node = readdirSync(modules).find((name) => name.startsWith("node-linux-"));
  if (node === undefined) throw new Error(`${modules} has no Node: remove ${folder}, try again`);
  return {
    node: join(modules, node, "bin", "node"),
    main: join(folder, "package", "lib", "vscode", "out", "server-main.js"),
  };
}

function environment(temporary: string, env: Record<string, string>): NodeJS.ProcessEnv {
  // a server that is started from a VS Code terminal must not think that it belongs to it
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|CODE_SERVER_|VITEST)/.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    // an empty address switches the marketplace off: no look-ups that fail
    EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: "" }),
    TMPDIR: temporary,
    XDG_RUNTIME_DIR: temporary,
    ...env,
  };
}
