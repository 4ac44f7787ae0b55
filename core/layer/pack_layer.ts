/**
 * Packs what a container changed as a layer.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#change-types
 * @module
 */
import { type ChangesOptions, layerChanges } from "./layer_changes.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import { type MemberOptions, MemberPacker } from "./pack.ts";
import { splitPath } from "./root_directory.ts";
import { encodeTarEntry, TAR_END } from "./tar_writer.ts";
import { isXattrKept } from "./xattr_policy.ts";

/**
 * The layer's tar, in pieces that are valid until the next is asked for; nothing at all if nothing has changed.
 *
 * A directory that hides what is below it is told as whiteouts of what it hides. Times, owners, modes, attributes and
 * hard links between changed files are kept; holes are zeros in a tar, and holes again when it is unpacked.
 *
 * @param options `ids`: of a user namespace below this one, whose owners go into the archive; `edit`: last changes to
 *   members that are no whiteouts.
 * @throws {SyscallError} for what cannot be read.
 */
export function* packLayer(
  options: ChangesOptions & { ids?: NestedIds; edit?: MemberOptions["edit"] },
): Generator<Uint8Array<ArrayBuffer>> {
  const { ids, edit } = options;
  const packer = new MemberPacker({
    keepsXattr: isXattrKept,
    ...ids && { ids },
    ...edit && { edit },
  });
  let isEmpty = true;
  for (const change of layerChanges({ ...options, strict: true })) {
    isEmpty = false;
    if (change.stat === undefined) yield whiteout(change.path);
    else yield* packer.pack(change.dirFd, change.file, change.path, change.stat);
  }
  if (!isEmpty) yield TAR_END;
}

function whiteout(path: string): Uint8Array<ArrayBuffer> {
  const { parent, base } = splitPath(path);
  return encodeTarEntry({
    kind: "file",
    path: `${parent === "" ? "" : `${parent}/`}.wh.${base}`,
    linkPath: "",
    mode: 0,
    uid: 0,
    gid: 0,
    userName: "",
    groupName: "",
    sizeBytes: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    major: 0,
    minor: 0,
  });
}
