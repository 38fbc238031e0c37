/**
 * What runs on a host that is set up, for its sh (POSIX). Each script has its variables set before it; reports go
 * to standard output by `say`, and nothing that a script prints is ever run here.
 */

/** The first line of a service unit that `func add-host` wrote; any other is not ours to change. */
export const UNIT_MARKER = "# Written by func add-host.";

/** In front of every script. `fail CODE WORDS` ends it. */
export const PRELUDE = `
LC_ALL=C; export LC_ALL; unset NODE_OPTIONS; umask 077; cd /
say() { printf '%s %s\\n' "$tag" "$*"; }
lines() { key=$1; while IFS= read -r line || [ -n "$line" ]; do say "$key" "$line"; done; }
fail() { say failed "$1"; printf '%s\\n' "$2" | lines words; exit 0; }
`;

/** Prints the SHA-256 of the file that is its argument. */
const HASH_JS = `process.stdout.write(require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex"))`;

/** Tells whether a port (first argument) can be listened on: "free" or the error's code. */
const PORT_JS = `const s=require("net").createServer();s.once("error",e=>console.log(e.code));s.listen(+process.argv[1],"0.0.0.0",()=>{console.log("free");s.close()})`;

/** Waits until something listens on a port (first argument): "ready" or the last error's code. */
const READY_JS = `const end=Date.now()+15000,[port,pid]=process.argv.slice(1).map(Number);const alive=()=>{if(!pid)return true;try{process.kill(pid,0);return true}catch(e){return e.code==="EPERM"}};const once=()=>{const s=require("net").connect(port,"127.0.0.1");s.setTimeout(2000,()=>s.destroy(new Error("silent")));s.once("connect",()=>{console.log("ready");process.exit()});s.once("error",e=>{if(Date.now()>end||!alive()){console.log(e.code||e.message);process.exit()}setTimeout(once,100)})};once()`;

/** Signs a text (second argument) with the private key in a file (first argument): base64. */
const SIGN_JS = `const [file,text]=process.argv.slice(1);process.stdout.write(require("crypto").sign("sha256",Buffer.from(text),require("fs").readFileSync(file)).toString("base64"))`;

/** Constants that scripts get besides their own variables. */
export const SCRIPT_CONSTANTS = {
  marker: UNIT_MARKER,
  hashjs: HASH_JS,
  portjs: PORT_JS,
  readyjs: READY_JS,
  signjs: SIGN_JS,
} as const;

/** Who logs in where, and which Nodes there are. Variable: node (a path, or "" to look around). */
export const PROBE = `
say uid "$(id -u)"
say user "$(id -un)"
say system "$(uname -s)"
say hostname "$(uname -n)"
say home "$HOME"
if [ -d /run/systemd/system ]; then say systemd yes; fi
if [ -S "/run/user/$(id -u)/systemd/private" ]; then say usersystemd yes; fi
if [ "$(id -u)" = 0 ]; then :
elif ! command -v sudo >/dev/null 2>&1; then say sudo none
elif sudo -n true </dev/null >/dev/null 2>&1; then say sudo yes
else say sudo password
fi
try() {
  [ -f "$1" ] && [ -x "$1" ] || return 0
  found=$("$1" -p 'process.versions.node + " " + process.execPath' </dev/null 2>/dev/null) || return 0
  owner=$(ls -ldnL "\${found#* }" 2>/dev/null | { read -r _ _ uid _; printf '%s' "$uid"; })
  say node "\${owner:-unknown} $found"
}
if [ -n "$node" ]; then try "$node"
else
  for one in "$(command -v node 2>/dev/null)" "$(command -v nodejs 2>/dev/null)" \\
    /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /opt/node*/bin/node /opt/nodejs/*/bin/node \\
    /usr/local/lib/nodejs/*/bin/node /usr/lib/nodejs*/bin/node /snap/bin/node "$HOME"/.local/bin/node \\
    "$HOME"/.nvm/versions/node/*/bin/node "$HOME"/.volta/bin/node \\
    "$HOME"/.local/share/fnm/node-versions/*/installation/bin/node \\
    "$HOME"/.asdf/installs/nodejs/*/bin/node "$HOME"/.local/share/mise/installs/node/*/bin/node
  do try "$one"; done
fi
`;

/** What is in a minion's home already. Variables: home, node, unit (path, or ""). */
export const INSPECT = `
if [ -e "$home" ] && [ ! -d "$home" ]; then fail home "$home is no folder"; fi
owner() { ls -ldn "$@" 2>/dev/null | { read -r _ _ uid _; printf '%s' "$uid"; }; }
if [ -d "$home" ]; then
  # whoever owns it could put another program into it
  if [ "$(owner "$home")" != "$(id -u)" ] || [ "$(owner -L "$home")" != "$(id -u)" ]; then
    fail home "$home belongs to another user, who could change what is put there"
  fi
  ls -A "$home" | head -n 100 | lines entry
fi
if [ -f "$home/pki/minion.crt" ]; then lines certificate <"$home/pki/minion.crt"; fi
if [ -f "$home/program/funcd.js" ]; then
  say program "$("$node" -e "$hashjs" "$home/program/funcd.js" </dev/null 2>/dev/null)"
  "$node" "$home/program/funcd.js" status --json --home "$home" </dev/null 2>/dev/null | lines status
elif [ -f "$home/lock" ]; then
  pid=$(sed -n 's/.*"pid":\\([0-9][0-9]*\\).*/\\1/p' "$home/lock")
  if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then say otherpid "$pid"; fi
fi
if [ -n "$unit" ] && [ -e "$unit" ]; then
  if grep -qF "$marker" "$unit"; then say unit ours; else say unit other; fi
fi
`;

/** Shows that the key of the certificate is there. Variables: home, node, challenge (what is to be signed). */
export const PROVE = `
say proof "$("$node" -e "$signjs" "$home/pki/minion.key" "$challenge" </dev/null 2>/dev/null)"
`;

/** Puts the program that comes by standard input into its place. Variables: home, node, sum. */
export const COPY = `
program=$home/program/funcd.js
new=$home/program/.funcd.js.new
drop() { rm -f "$new"; rmdir "$home/program" 2>/dev/null; }
words=$(mkdir -p "$home/program" 2>&1) || fail write "$words"
words=$({ cat >"$new"; } 2>&1) || { drop; fail write "$words"; }
have=$("$node" -e "$hashjs" "$new" </dev/null 2>&1)
[ "$have" = "$sum" ] || { drop; fail checksum "$have"; }
words=$("$node" "$new" --version </dev/null 2>&1) || { drop; fail program "$words"; }
if [ -f "$program" ]; then
  words=$({ ln -f "$program" "$program.old" || cp -pf "$program" "$program.old"; } 2>&1) || { drop; fail write "$words"; }
fi
words=$(mv -f "$new" "$program" 2>&1) || { drop; fail write "$words"; }
`;

/**
 * A certificate request. Variables: home, node, name, listen, discard ("yes": the key there was revoked), port (of a
 * funcd that does not run yet, or "").
 */
export const REQUEST = `
if [ -n "$port" ]; then
  state=$("$node" -e "$portjs" "$port" </dev/null 2>&1)
  [ "$state" = free ] || fail port "$state"
fi
if [ "$discard" = yes ]; then
  rm -f "$home/pki/minion.crt" "$home/pki/minion.key" "$home/pki/minion.key.next" "$home/pki/ca.crt"
fi
words=$("$node" "$home/program/funcd.js" csr --home "$home" --name "$name" --listen "$listen" </dev/null 2>&1) \\
  || fail request "$words"
printf '%s\\n' "$words" | lines csr
`;

/** Takes certificate and CA by standard input. Variables: home, node, listen. */
export const CERTIFICATE = `
words=$("$node" "$home/program/funcd.js" install-certificate --home "$home" --listen "$listen" - 2>&1) \\
  || fail certificate "$words"
`;

const RUNTIME_FOLDER = `
if [ "$scope" = --user ]; then
  XDG_RUNTIME_DIR=\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
fi
`;

const FREE_PORT = `
"$node" "$home/program/funcd.js" stop --home "$home" </dev/null >/dev/null 2>&1
state=$("$node" -e "$portjs" "$port" </dev/null 2>&1)
[ "$state" = free ] || fail port "$state"
`;

/** Starts funcd under systemd; the unit comes by standard input. Variables: home, node, port, unit, service, scope. */
export const START_UNIT = `
${RUNTIME_FOLDER}
if [ -e "$unit" ] && ! grep -qF "$marker" "$unit"; then fail unit "$unit"; fi
words=$({ mkdir -p "\${unit%/*}" && cat >"$unit.new" && chmod 644 "$unit.new" && mv -f "$unit.new" "$unit"; } 2>&1) \\
  || { rm -f "$unit.new"; fail write "$words"; }
words=$(systemctl "$scope" stop "$service" 2>&1 </dev/null)
${FREE_PORT}
words=$({ systemctl "$scope" daemon-reload && systemctl "$scope" enable "$service" && systemctl "$scope" restart "$service"; } 2>&1 </dev/null) \\
  || fail systemctl "$words"
if [ "$scope" = --user ]; then
  loginctl show-user "$(id -un)" -p Linger 2>/dev/null | grep -q yes \\
    || loginctl enable-linger </dev/null >/dev/null 2>&1 || say linger no
fi
pid=$(systemctl "$scope" show "$service" -p MainPID 2>/dev/null </dev/null | cut -d= -f2)
say ready "$("$node" -e "$readyjs" "$port" "\${pid:-0}" </dev/null 2>&1)"
systemctl "$scope" status "$service" -n 15 -o cat --no-pager 2>&1 </dev/null | tail -n 15 | lines log
`;

/** Starts funcd as a process of its own. Variables: home, node, port. */
export const START_DETACHED = `
${FREE_PORT}
log=$home/funcd.log
# what Node itself says goes there too
if command -v setsid >/dev/null 2>&1; then
  setsid "$node" "$home/program/funcd.js" --home "$home" --log "$log" </dev/null >>"$log" 2>&1 &
else
  nohup "$node" "$home/program/funcd.js" --home "$home" --log "$log" </dev/null >>"$log" 2>&1 &
fi
say ready "$("$node" -e "$readyjs" "$port" $! </dev/null 2>&1)"
tail -n 15 "$log" 2>/dev/null | lines log
`;

/** The new program answered: the old one is not needed any more. Variable: home. */
export const KEEP_NEW = `rm -f "$home/program/funcd.js.old"
`;

/** The new program does not start: back to the old one, where there was one. Variable: home. */
export const TAKE_OLD = `
if [ -f "$home/program/funcd.js.old" ] && mv -f "$home/program/funcd.js.old" "$home/program/funcd.js"; then
  say restored yes
fi
`;

/**
 * Takes away what was put there, and nothing else. Variables: home, node, unit (path, or ""), service, scope, keep
 * ("yes": the files stay).
 */
export const REMOVE = `
${RUNTIME_FOLDER}
if [ -n "$unit" ] && [ -e "$unit" ]; then
  grep -qF "$marker" "$unit" || fail unit "$unit"
  words=$(systemctl "$scope" disable --now "$service" 2>&1 </dev/null) || fail systemctl "$words"
  words=$(rm -f "$unit" 2>&1) || fail write "$words"
  systemctl "$scope" daemon-reload >/dev/null 2>&1 </dev/null
  say unit removed
fi
if [ -f "$home/program/funcd.js" ] && [ -n "$node" ]; then
  words=$("$node" "$home/program/funcd.js" stop --home "$home" </dev/null 2>&1) || fail stop "$words"
elif [ -f "$home/lock" ]; then
  # no Node is left to ask it with
  pid=$(sed -n 's/.*"pid":\\([0-9][0-9]*\\).*/\\1/p' "$home/lock")
  if [ -n "$pid" ] && tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$home/program/funcd.js"; then
    kill "$pid"
  fi
fi
if [ "$keep" != yes ] && [ -d "$home" ]; then
  words=$({ rm -rf "$home/program" "$home/pki" "$home/jobs" &&
    rm -f "$home/minion.yaml" "$home/join-token" "$home/funcd.log" "$home/funcd.log.1" "$home/lock" "$home/reserve" "$home"/calls*; } 2>&1) \\
    || fail write "$words"
  rmdir "$home" 2>/dev/null || ls -A "$home" | lines left
fi
`;
