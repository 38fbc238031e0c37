/** The text of `func --help`. */
export const HELP = `Usage:
  func [OPTIONS] SPEC call [OPTIONS] MODULE METHOD [ARGS...]   call a method on every matching minion
  func [OPTIONS] SPEC ping                        which minions answer
  func [OPTIONS] SPEC list_minions                the names that SPEC matches
  func [OPTIONS] SPEC methods [MODULE]            the modules, or the methods of one
  func [OPTIONS] SPEC call --jobstatus JOB_ID     code and results of a job, as they stand
  func jobs [list] [--state running|finished|problems] [--minion GLOB] [--module GLOB] [--method GLOB]
      [--since TIME] [--until TIME] [--last N]    the overlord's jobs, newest first (TIME: 2h, 2026-11-22)
  func jobs show JOB_ID [--minion GLOB] [--attempts]
                                                  a job and its results, from the overlord alone (JOB_ID: an
                                                  id, how no other begins or ends, or "last")
  func jobs follow JOB_ID [--minion GLOB]         what its commands write, as they do, and results as they come;
                                                  afterwards what those had written that were stopped
  func jobs cancel JOB_ID                         end it, and what went on beyond its limit; minions that are
                                                  away are told when they are back
  func jobs retry JOB_ID [--minion GLOB] [--nopoll]
                                                  call those again that failed; those that may have run
                                                  ("lost", "timed-out", cancelled), only where --minion
                                                  means them: names or globs, "web1;db*", also "web1@mid1"
  func jobs delete JOB_ID... | --older-than TIME [--yes]
                                                  forget finished jobs and their results
  func jobs search TEXT [--match-case] [those of the list, but --last]
                                                  which results contain it
  func group [list]                               the groups and their hosts
  func group add GROUP HOST...                    add names or globs; makes the group
  func group remove GROUP [HOST...]               take them out again, or delete the group
  func add-host [USER@]HOST... [--name NAME] [--port N] [--address ADDRESS] [--identity FILE]
      [--ssh-option KEY=VALUE]... [--node PATH] [--remote-home DIR] [--user-unit] [--no-service]
      [--replace] [--yes]                         make hosts minions over ssh; again: check and update them
  func remove-host NAME [--keep-files] [--offline] [--ssh [USER@]HOST] [--identity FILE]
      [--ssh-option KEY=VALUE]... [--remote-home DIR] [--yes]
                                                  undo that, and revoke its certificate
  func ca token [--name GLOB] [--minutes N] [--address HOST[:PORT]]... [--at PATH]
                                                  a token for "funcd join" on a new host
  func ca list [--at PATH]                        the CA, what waits, certificates, open tokens
  func ca close TOKEN_ID                          take a token back
  func ca approval on [--minutes N] | off         take requests without a token (funcd join --ask)
  func ca waiting                                 what waits, with the words to compare with the host's
  func ca approve NAME [--fingerprint WORDS] [--yes]
                                                  sign what waits, once its words were compared
  func ca deny NAME [--fingerprint WORDS]         turn it down, for an hour
                                                  with --at mid1 or --at mid1/mid3, token, close, list,
                                                  approval, waiting, approve and deny are that sub-overlord's
  func certmaster-ca --help                       the original's command, for scripts
  func ca renew [SPEC]                            renew certificates now; without SPEC what is due
  func ca rotate [--stdin]                        replace the CA, while both the old one and the new are trusted
  func ca rotate --status|--abort                 tell how far that is; take it back before the new one was used
  func ca rotate --finish [--without-those-missing] [--yes]
                                                  drop the old CA; refused while minions need it
  func ca passphrase [--remove] [--stdin]         encrypt the CA's key, change the passphrase, or remove it;
                                                  --stdin reads lines: the present one, if any, then the new one
  func ca unlock [--stdin]                        give the passphrase, once after each start of the overlord
  func ca sign FILE [--name NAME] [--operator] [--days N] [--address HOST[:PORT]] [--replace] [--out FILE]
                                                  sign a request of "funcd csr"; prints certificate and CA
  func ca operator NAME [--out FILE] [--days N] [--replace]
                                                  key and certificate to call minions from elsewhere
  func ca revoke NAME... [--operator|--overlord] | --serial S... [--reason TEXT] [--yes]
                                                  refuse these certificates everywhere from now on
  func ca import --certificate FILE --key FILE [--stdin]
                                                  use an existing CA, where there is none and no minion yet
  func ca accept NAME ADDRESS[:PORT] [--fingerprint HEX|WORDS] [--yes]
                                                  take a host in whose certificate, of the original, has
                                                  but a common name; prints the access rule for it
  func ca crl [--out FILE]                        the X.509 revocation list, for other tools
  func ca forget NAME... [--yes]                  take minions out and revoke them; a host with a new
                                                  key may have the name again
  func build-map [-a|--append] [-o|--only-alive] [-t SEC] [-v|--verbose]
                                                  ask all minions for those behind them (func-build-map);
                                                  -a: add to the map that is there; -o: leave out who is
                                                  away; -t: for each host, with all behind it; -v: print the
                                                  tree. Exit status 1: some host could not be asked (with
                                                  -o: one that has hosts behind it), or no map was written
  func map show [--mapfile FILE]                  the delegation map, as a tree
  func map path NAME... [--mapfile FILE]          over which sub-overlords a host is reached
  func map check [FILE | --mapfile FILE]          what is wrong in the file, with line and column
                                                  exit status 1: the last good map is in use; path: a
                                                  host is not in it, or behind one that is no minion; check:
                                                  it cannot be used, or names at its top one that is no
                                                  minion; --json: what they tell as JSON
  func audit show [--last N | --since TIME]       who asked what of this overlord (TIME: 2h, 2026-11-22)
  func audit verify                               whether a line of it was changed or removed
  func address NAME HOST[:PORT]                   where a minion is reached from now on
  func overlord status | stop [--force]           the overlord of this data directory
  func overlord backup FILE [--unencrypted] [--stdin]
                                                  CA, inventory and all else into one file
  func overlord move FILE [--unencrypted] [--stdin]
                                                  the same, and this machine starts none any more
  func overlord restore FILE [--replace] [--stdin]
                                                  a backup into this (--home: another) data directory
  func overlord install-service [--print] | remove-service
                                                  let systemd keep the overlord running
  func suboverlord init [--token TOKEN | --ask HOST[:PORT] [--ca-fingerprint HEX]] [--no-service]
      [--funcd-home DIR]                          give this host, which has a funcd, an overlord of its own
  func suboverlord status | remove [--funcd-home DIR]
                                                  how it stands; undo it (the data directory stays)

SPEC names minions: names, globs, @GROUP and @GROUP:GLOB separated by ";", such as "web*;@db". A
minion whose name is a command's: func -- jobs ping. Behind SPEC or a command, "--" ends the options.

ARGS are everything that follows METHOD, also what looks like an option:
  func "web*" call command run -- "ls -l /tmp"

Options, before or after SPEC and its command, but before MODULE:
  -e, --exclude SPEC  leave out these minions; a part of it that matches nothing is an error
  -t, --timeout SEC   time limit on each minion, such as 2.5 (at least 0.001)
  -f, --forks N       how many minions are called at the same time
      --delegate      minions behind sub-overlords too, by the delegation map (func build-map)
      --mapfile FILE  with --delegate: another map
  -a, --async         run as a job on the minions; prints the results as they come
  -n, --nopoll        with --async: print the job's id and do not wait
      --batch N|N%    call so many minions at a time, the next ones when these have ended
      --canary SPEC   call these of them first
      --max-errors N  with more failures than this, call no more minions
      --delivery-limit SEC  with --async: how long to try a minion that is away; without it, once
  -j, --json          one JSON object, host to value, on stdout, everything else on stderr;
                      an error is ["REMOTE_ERROR", type, message, trace]; bytes that are no
                      UTF-8 text are base64, a string like any other: --typed tells them apart;
                      "jobs show" and "jobs follow" of a delegated job have a member "$delegation" as
                      well: {mapFile, minions: host to {via, signed: yes, first or no, failedHop}}
      --typed         read each argument as JSON where it is JSON (5 is a number then), keep
                      XML-RPC types in --json, and mark bytes as {"$base64": "aGk="}
      --raw           behind "call" and for exactly one minion: print its result byte for byte, a
                      command's outputs to stdout and stderr, with its exit status
      --home DIR      data directory of the overlord, instead of FUNC_HOME
      --version       print the version
  -h, --help          print this; of one word, such as func ca --help, what belongs to it

A command's output is indented below its host, its bytes otherwise as they came; to a terminal, control
characters and bytes that are no UTF-8 are shown as codes (\\x1b). For the exact bytes:
  func web1 call --raw command run "cat image.png" > image.png

Ctrl-C cancels the call; a second one ends func at once. In "jobs follow" it ends the following only. A
closed terminal or lost connection ends func and cancels nothing; SIGTERM cancels, but no --async call.

Exit status: 0 all well; 1 some minion raised an error or gave no result (a command's own exit
status is a result), or the overlord cannot be reached; 2 bad usage or nothing matched. With --raw:
the command's own (128 + N where signal N ended it), 255 where there is no result. 130: the
following of a job was ended by Ctrl-C. jobs search: 1 where nothing was found. build-map: 1 where a
host could not be asked; with -o, where one that is left out has hosts behind it. map check: 1 where
the map cannot be used, or names a host at its top that is no minion of this overlord.
`;

/** All of it, or the usage of one first word, such as "ca". */
export function helpText(topic?: string): string {
  if (topic === undefined) return HELP;
  return `Usage:\n${groupUsage(topic).replace(/^/gm, "  ")}\n\nfunc --help tells all.\n`;
}

/** Where the words of a command are told, such as "ca", or of all. */
export function helpOf(topic?: string): string {
  return topic === undefined ? `See "func --help".` : `See "func ${topic} --help".`;
}

/** The lines of the usage that belong to one first word, such as "ca". */
export function groupUsage(word: string): string {
  const usage = HELP.slice(0, HELP.indexOf("\n\n")).split("\n");
  const shown: string[] = [];
  let inside = false;
  for (const line of usage) {
    if (line.startsWith("  func ")) inside = line.startsWith(`  func ${word} `);
    if (inside) shown.push(line.slice(2));
  }
  return shown.join("\n");
}
