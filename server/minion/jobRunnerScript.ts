/**
 * The shell script that an async command runs under: `sh -c SCRIPT funcd-job FOLDER COMMAND`. It needs
 * no funcd: the command's outputs go to files in the job's folder, and its exit status gets there by
 * rename, so that it is there whole or not at all.
 *
 * - `identity` (boot id, then /proc/PID/stat) is made by a hard link, which fails where funcd has already
 *   given the job up: then, and where it cannot be written, the command is not started.
 * - The signals that `jobs.cancel` sends to the group are caught here, so that the exit status of the
 *   command is still written; a TERM that comes before the command began keeps it from beginning.
 * - `runner.log` takes the shell's own note about a command that a signal ended ("Terminated"): it tells
 *   status 143 by a signal from `exit 143`.
 */
export const JOB_RUNNER_SCRIPT = `
funcd_mask=$(umask)
funcd_path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 077
cd "$1" || exit 125
funcd_ended=
trap : HUP INT
trap funcd_ended=143 TERM
exec </dev/null 2>runner.log
read -r funcd_boot </proc/sys/kernel/random/boot_id
read -r funcd_stat <"/proc/$$/stat"
printf '%s\\n%s\\n' "$funcd_boot" "$funcd_stat" >identity.new && ln identity.new identity || exit 125
if [ "$funcd_ended" ]; then
  printf '%s\\n' "$funcd_ended" >exit.new && mv exit.new exit
  exit
fi
(cd / && umask "$funcd_mask" && PATH=$funcd_path && unset funcd_ended funcd_mask funcd_path funcd_boot funcd_stat && exec /bin/sh -c "$2") >stdout 2>stderr
printf '%s\\n' "$?" >exit.new && mv exit.new exit
`;
