import { chmod, readdir, stat } from "node:fs/promises";
import { FuncError, messageOf } from "./errors";
import { makeFolders } from "./makeFolders";

/**
 * Makes a folder that only this user can enter, or closes the one there to everybody else. Throws FuncError
 * "unavailable"; also for a folder that others can enter and that holds anything which `ours` does not
 * name: closing /tmp would break the machine.
 */
export async function makePrivate(folder: string, ours: RegExp, nextStep: string): Promise<void> {
  try {
    await makeFolders(folder);
    const { mode } = await stat(folder);
    if (process.platform === "win32" || (mode & 0o077) === 0) return;
    const foreign = (await readdir(folder)).find((name) => !ours.test(name));
    if (foreign !== undefined) {
      throw new Error(
        `others can enter it, and it holds other things (${JSON.stringify(foreign)}).`,
      );
    }
    await chmod(folder, 0o700);
  } catch (error) {
    throw new FuncError(
      "unavailable",
      `The folder ${folder} cannot be used: ${messageOf(error)}`,
      nextStep,
    );
  }
}
