/**
 * Looking for a directory in layers without mounting them.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { LowerDirectory } from "../layer/lower_directory.ts";
import { encodeName } from "../lib/file_name.ts";
import { isForeign } from "./clean_upper.ts";

/** Whether there is a directory, no link on the way to it. @param lowers Topmost first. */
export function isThereAlready(lowers: readonly string[], path: string): boolean {
  const open: LowerDirectory[] = [];
  try {
    open.push(LowerDirectory.open(lowers));
    for (const part of path.split("/").filter((part) => part !== "")) {
      const file = encodeName(part);
      const found = open.at(-1)!.lookup(file);
      if (found === undefined || (found.stat.mode & F.S_IFMT) !== F.S_IFDIR) return false;
      open.push(open.at(-1)!.enter(file));
    }
    return true;
  } catch (error) {
    if (isForeign(error)) return false; // the helper will see
    throw error;
  } finally {
    for (const directory of open) directory[Symbol.dispose]();
  }
}
