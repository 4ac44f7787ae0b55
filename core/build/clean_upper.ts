/**
 * Takes away from a layer what only a step's mounts needed to stand on: BuildKit does the same.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { decodeName, encodeName } from "../lib/file_name.ts";
import { isOpaque, LowerDirectory } from "../layer/lower_directory.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What fuse-overlayfs puts into directories that are new. */
const OPAQUE_MARK = ".wh..wh..opq";
const DIRECTORY = F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW;

/**
 * Removes empty files and directories at `places` that the layers below do not have, and directories on the way there
 * that only came up because of them.
 *
 * @param upper The layer's directory.
 * @param lowers Those below, the topmost first.
 * @param places Paths in the root; links in them are not followed.
 */
export function cleanUpper(
  upper: string,
  lowers: readonly string[],
  places: readonly string[],
): void {
  const parts = places.map((place) => place.split("/").filter((part) => part !== ""))
    .filter((path) => path.length > 0 && !path.includes(".."));
  if (parts.length === 0) return;
  using lower = LowerDirectory.open(lowers);
  const fd = F.openat(F.AT_FDCWD, upper, F.O_RDONLY | F.O_DIRECTORY);
  try {
    for (const path of parts) cleanAt(fd, lower, path.map(encodeName));
  } finally {
    F.close(fd);
  }
}

/** Removes what is empty at the end of `path`, then what that has left empty above. */
function cleanAt(dirFd: number, lower: LowerDirectory, [file, ...rest]: Bytes[]): void {
  const stat = F.lstatat(dirFd, file!);
  if (stat === undefined) return;
  const below = lower.lookup(file!)?.stat;
  const type = stat.mode & F.S_IFMT;
  if (type === F.S_IFREG) {
    if (rest.length === 0 && stat.sizeBytes === 0 && below === undefined) {
      F.removeTreeAt(dirFd, file!);
    }
    return;
  }
  if (type !== F.S_IFDIR) return;
  const fd = F.openat(dirFd, file!, DIRECTORY);
  try {
    if (rest.length > 0) {
      using inner = lower.enter(file!);
      cleanAt(fd, inner, rest);
    }
    // What is new hides nothing, even if it says so, as fuse-overlayfs's directories do.
    const names = F.readNames(fd).filter((name) =>
      decodeName(name.subarray(0, -1)) !== OPAQUE_MARK
    );
    if (names.length > 0 || below !== undefined && isOpaque(fd)) return;
  } finally {
    F.close(fd);
  }
  const isCopiedUp = below !== undefined && (below.mode & F.S_IFMT) === F.S_IFDIR &&
    below.mode === stat.mode && below.uid === stat.uid && below.gid === stat.gid;
  if (below === undefined) F.removeTreeAt(dirFd, file!);
  else if (isCopiedUp) F.tryRmdirat(dirFd, file!);
}

/** Whether an error says that this process is not who may look at or change the layer. */
export function isForeign(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "EACCES" || code === "EPERM";
}
