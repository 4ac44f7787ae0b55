/**
 * A quick look whether an image has a directory, from outside its user namespace.
 *
 * @module
 */

/**
 * Whether an image may have a directory at `path`: false only if it surely has none.
 *
 * No link is followed: where one is on the way, or something that this user may not look into, the answer is yes.
 *
 * @param layers Directories of its layers.
 * @param path Absolute, without `.` and `..`.
 */
export function mayHaveDirectory(layers: readonly string[], path: string): boolean {
  let here = "";
  for (const part of path.split("/").filter((part) => part !== "")) {
    here += `/${part}`;
    const found = layers.map((layer) => look(layer + here));
    if (found.includes("unknown")) return true;
    if (!found.includes("directory")) return false;
  }
  return true;
}

function look(path: string): "directory" | "nothing" | "unknown" {
  try {
    const { isDirectory, isSymlink } = Deno.lstatSync(path);
    return isSymlink ? "unknown" : isDirectory ? "directory" : "nothing";
  } catch (error) {
    const isNothing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    return isNothing ? "nothing" : "unknown";
  }
}
