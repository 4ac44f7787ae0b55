/**
 * mount(8)'s option words to mount(2)'s flags and data.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";

/** Mount type of ours: a mount of another container, whose mount namespace is the source, at the same place. */
export const SHARED_MOUNT = "shared-mount";

/** Mount type of ours: the layers of an image, to be read. */
export const IMAGE_MOUNT = "image";

/** Mount type of ours: a file whose content is in the spec. */
export const FILE_MOUNT = "file";

/** What a list of option words means to the kernel. */
export interface MountOptions {
  /** `MS_*` without propagation. */
  flags: number;
  /** `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE` or `MS_UNBINDABLE`, with `MS_REC` where asked; 0 for none. */
  propagation: number;
  /** What the file system itself is told: `mode=755,size=65536k`. */
  data: string;
  /** Make every mount below read-only too. */
  recursiveReadOnly: boolean;
}

const SET: Record<string, number> = {
  ro: C.MS_RDONLY,
  nosuid: C.MS_NOSUID,
  nodev: C.MS_NODEV,
  noexec: C.MS_NOEXEC,
  sync: C.MS_SYNCHRONOUS,
  mand: C.MS_MANDLOCK,
  dirsync: C.MS_DIRSYNC,
  nosymfollow: C.MS_NOSYMFOLLOW,
  noatime: C.MS_NOATIME,
  nodiratime: C.MS_NODIRATIME,
  relatime: C.MS_RELATIME,
  strictatime: C.MS_STRICTATIME,
  bind: C.MS_BIND,
  rbind: C.MS_BIND | C.MS_REC,
  silent: C.MS_SILENT,
};

const CLEAR: Record<string, number> = {
  rw: C.MS_RDONLY,
  suid: C.MS_NOSUID,
  dev: C.MS_NODEV,
  exec: C.MS_NOEXEC,
  async: C.MS_SYNCHRONOUS,
  atime: C.MS_NOATIME,
  diratime: C.MS_NODIRATIME,
  norelatime: C.MS_RELATIME,
  nostrictatime: C.MS_STRICTATIME,
  symfollow: C.MS_NOSYMFOLLOW,
  defaults: 0,
};

const PROPAGATION: Record<string, number> = {
  shared: C.MS_SHARED,
  rshared: C.MS_SHARED | C.MS_REC,
  slave: C.MS_SLAVE,
  rslave: C.MS_SLAVE | C.MS_REC,
  private: C.MS_PRIVATE,
  rprivate: C.MS_PRIVATE | C.MS_REC,
  unbindable: C.MS_UNBINDABLE,
  runbindable: C.MS_UNBINDABLE | C.MS_REC,
};

/** Parses option words; what no table knows is for the file system. */
export function parseMountOptions(words: readonly string[]): MountOptions {
  const parsed: MountOptions = { flags: 0, propagation: 0, data: "", recursiveReadOnly: false };
  const data: string[] = [];
  for (const word of words) {
    if (word in SET) parsed.flags |= SET[word]!;
    else if (word in CLEAR) parsed.flags &= ~CLEAR[word]!;
    else if (word in PROPAGATION) parsed.propagation = PROPAGATION[word]!;
    else if (word === "rro") {
      parsed.flags |= C.MS_RDONLY;
      parsed.recursiveReadOnly = true;
    } else data.push(word);
  }
  parsed.data = data.join(",");
  return parsed;
}
