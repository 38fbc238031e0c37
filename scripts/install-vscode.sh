#!/usr/bin/env bash
# Installs one VS Code server (lib/vscode of the npm package code-server) with the Node it wants
# into ~/.cache/vscode-e2e/code-server-VERSION, from the npm registry only; prints that folder.
#
#   scripts/install-vscode.sh [VERSION | newest | floor]     (versions: vscode-versions.json)
#   VSCODE_E2E_CACHE=DIR     another cache folder
#   VSCODE_E2E_NATIVE=1      compile the file logger (python3, make, g++) in place of the stand-in
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=${1:-newest}
case $version in
  newest | floor) version=$(node -p "require('$here/vscode-versions.json')['$version']") ;;
esac
cache=${VSCODE_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vscode-e2e}
destination=$cache/code-server-$version
if [ -f "$destination/.complete" ]; then
  echo "$destination"
  exit 0
fi

log() { echo "[install-vscode] $*" >&2; }

case $(uname -s)-$(uname -m) in
  Linux-x86_64) arch=x64 ;;
  Linux-aarch64) arch=arm64 ;;
  *)
    log "needs Linux on x86_64 or aarch64, this is $(uname -s) on $(uname -m)"
    exit 1
    ;;
esac

mkdir -p "$cache"
work=$(mktemp -d "$cache/.tmp-XXXXXX")
trap 'rm -rf "$work"' EXIT

log "code-server $version"
(cd "$work" && npm pack "code-server@$version" --silent >/dev/null && tar xzf code-server-*.tgz && rm code-server-*.tgz)
code=$work/package/lib/vscode
node_major=$(node -p "parseInt(require('$work/package/package.json').engines.node.replace(/[^0-9]*/, ''), 10)")

log "Node $node_major"
mkdir -p "$work/node"
echo '{"private":true}' >"$work/node/package.json"
(cd "$work/node" && npm install "node-linux-$arch@$node_major" --no-audit --no-fund --silent >/dev/null)
node_home=$work/node/node_modules/node-linux-$arch
# its own headers: a nodedir of the user's npmrc may belong to another Node
export PATH=$node_home/bin:$PATH npm_config_nodedir=$node_home

log "dependencies of VS Code"
cd "$code"
# 220 MB that no test of an extension needs; a dependency that is locked to a commit on GitHub
# comes from the registry instead, in the same version
node -e '
const fs = require("fs");
const manifest = JSON.parse(fs.readFileSync("package.json"));
for (const name of ["@github/copilot-sdk", "@vscode/copilot-api", "@microsoft/mxc-sdk", "@devcontainers/cli"])
  delete manifest.dependencies[name];
fs.writeFileSync("package.json", JSON.stringify(manifest, null, 2));
const lock = JSON.parse(fs.readFileSync("npm-shrinkwrap.json"));
for (const entry of Object.values(lock.packages))
  if (/^git\+|github\.com/.test(entry.resolved ?? "")) { delete entry.resolved; delete entry.integrity; }
fs.writeFileSync("npm-shrinkwrap.json", JSON.stringify(lock, null, 2));'
rm -rf extensions/copilot
npm install --omit=dev --ignore-scripts --legacy-peer-deps --no-audit --no-fund --loglevel=error >&2

compiled=0
if [ "${VSCODE_E2E_NATIVE:-0}" = 1 ]; then
  log "compiling the file logger"
  if npm rebuild @vscode/spdlog --foreground-scripts >"$work/build.log" 2>&1; then
    compiled=1
  else
    log "could not be compiled: the stand-in is used"
    tail -20 "$work/build.log" >&2
  fi
fi
if [ "$compiled" = 0 ]; then
  # without this module VS Code has no file logger: output channels and log files stay empty
  cat >node_modules/@vscode/spdlog/index.js <<'JS'
// Stand-in for the native logger: the same calls, plain appends.
const fs = require("fs");
const path = require("path");
const NAMES = ["trace", "debug", "info", "warning", "error", "critical", "off"];
class Logger {
  constructor(_type, _name, file) {
    this.file = file;
    this.level = 2;
    this.raw = false;
    fs.appendFileSync(file, ""); // VS Code waits for the file
  }
  write(level, message) {
    if (level < this.level) return;
    const time = new Date().toISOString().replace("T", " ").replace("Z", "");
    const line = this.raw ? message : `${time} [${NAMES[level]}] ${message}\n`;
    try {
      fs.appendFileSync(this.file, line);
    } catch {
      // the folder was removed: the test is over
    }
  }
  trace(message) { this.write(0, message); }
  debug(message) { this.write(1, message); }
  info(message) { this.write(2, message); }
  warn(message) { this.write(3, message); }
  error(message) { this.write(4, message); }
  critical(message) { this.write(5, message); }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() { this.raw = false; }
  clearFormatters() { this.raw = true; }
  flush() {}
  drop() {}
}
const create = async (name, file) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return new Logger("", name, file);
};
// one by one: importing modules see no other form of a CommonJS module's exports
exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
JS
fi

# older versions fetch ripgrep from GitHub in a postinstall script; the registry has the same program
if [ -d node_modules/@vscode/ripgrep ] && [ ! -e node_modules/@vscode/ripgrep/bin/rg ]; then
  mkdir -p node_modules/@vscode/ripgrep/bin
  (cd "$work" && npm pack "@vscode/ripgrep-linux-$arch" --silent >/dev/null &&
    tar xzf vscode-ripgrep-linux-*.tgz --transform 's,^package,ripgrep,')
  mv "$work"/ripgrep/bin/rg node_modules/@vscode/ripgrep/bin/rg
  rm -rf "$work"/ripgrep "$work"/vscode-ripgrep-*.tgz
fi

log "done: VS Code $(node -p "require('./package.json').version")"
# renamed at the end: a broken install is never used again
touch "$work/.complete"
rm -rf "$destination"
mv "$work" "$destination"
trap - EXIT
echo "$destination"
