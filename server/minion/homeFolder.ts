import { makePrivate } from "../common/privateFolder";

/** What a funcd, and whoever prepares its home, puts there. */
const HOME_FILES =
  /^\.?(?:minion\.yaml|join-token|lock|audit\.|funcd\.log|calls|reserve|(?:pki|jobs|modules|acl|acls|program)$)/;

/** Makes a minion's home, which only its user can enter. Throws FuncError "unavailable". */
export async function makeHome(home: string): Promise<void> {
  await makePrivate(home, HOME_FILES, "Give a folder of its own with --home.");
}
