import { constants } from "node:fs";
import { lstat, mkdir, open, readlink, rm, stat, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { FuncError, messageOf } from "../../server/common/errors";
import { SHIM_MARK } from "./shim";

/** The mark is in the first lines of our script. */
const HEAD_BYTES = 4096;

/** What stands where the user's link is to be. */
export type UserLink =
  | { kind: "none" }
  /** A link to our script, or a copy of it. */
  | { kind: "ours" }
  /** Something else: `what` names it for a question. */
  | { kind: "foreign"; what: string };

/** What `link` is; `target` is our script. Throws FuncError where that cannot be seen. */
export async function lookAtLink(link: string, target: string): Promise<UserLink> {
  try {
    const stat = await lstat(link);
    if (stat.isSymbolicLink()) {
      const to = await readlink(link);
      return to === target || (await isShim(link))
        ? { kind: "ours" }
        : { kind: "foreign", what: `${link} -> ${to}` };
    }
    return (await isShim(link)) ? { kind: "ours" } : { kind: "foreign", what: link };
  } catch (error) {
    if (isMissing(error)) return { kind: "none" };
    throw new FuncError("unavailable", `${link} cannot be looked at: ${messageOf(error)}`);
  }
}

/** Makes `link` a link to `target`, in the place of what was there. Throws FuncError. */
export async function makeLink(link: string, target: string): Promise<void> {
  try {
    await mkdir(dirname(link), { recursive: true });
    await rm(link, { force: true });
    await symlink(target, link);
  } catch (error) {
    throw new FuncError("unavailable", `${link} cannot be made: ${messageOf(error)}`);
  }
}

/** Takes the link away where it is ours. True where it was. */
export async function removeLink(link: string, target: string): Promise<boolean> {
  if ((await lookAtLink(link, target)).kind !== "ours") return false;
  await rm(link, { force: true });
  return true;
}

async function isShim(file: string): Promise<boolean> {
  try {
    // a named pipe would keep its reader waiting, a device may do anything when it is opened
    if (!(await stat(file)).isFile()) return false;
    return (await headOf(file)).includes(SHIM_MARK);
  } catch {
    return false; // a link to nothing, or not ours to read
  }
}

/** Empty where something else has taken the place of the plain file meanwhile. */
async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) return Buffer.alloc(0);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
