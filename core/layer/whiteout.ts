/**
 * Whiteouts: how a layer says that something below it is gone. In a tar it is a file `.wh.NAME`, and `.wh..wh..opq`
 * for "nothing below shows in this directory"; for overlayfs it is a character device 0/0 and an extended attribute.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 * @see https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories
 * @module
 */

/** Marks an opaque directory for an overlay that is mounted with `userxattr`, as all of ours are. */
export const OPAQUE_XATTR = "user.overlay.opaque";

/** The same, as fuse-overlayfs writes it. */
export const FUSE_OPAQUE_XATTR = "user.fuseoverlayfs.opaque";

/** What a file name in a layer's tar means. */
export type Whiteout =
  | { kind: "none" }
  /** NAME below is gone. */
  | { kind: "remove"; name: string }
  /** Everything below in this directory is gone. */
  | { kind: "opaque" }
  /** AUFS's own book-keeping, of no meaning here. */
  | { kind: "ignore" }
  /** `.wh.`, `.wh..` or `.wh...`: would remove the directory itself or its parent. */
  | { kind: "invalid" };

const NONE: Whiteout = { kind: "none" };

/** Reads the last component of a path. */
export function parseWhiteout(baseName: string): Whiteout {
  if (!baseName.startsWith(".wh.")) return NONE;
  if (baseName === ".wh..wh..opq") return { kind: "opaque" };
  if (baseName.startsWith(".wh..wh.")) return { kind: "ignore" };
  const name = baseName.slice(4);
  return name === "" || name === "." || name === ".."
    ? { kind: "invalid" }
    : { kind: "remove", name };
}
