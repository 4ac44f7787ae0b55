/**
 * What a tar archive holds, as the reader hands it out and the writer takes it.
 *
 * @module
 */

/** Seconds since 1970, which may be negative, and the nanoseconds beyond, which may not. */
export interface TarTime {
  seconds: number;
  nanoseconds: number;
}

/** A piece of a sparse file that is stored; what lies between is zeros. */
export interface TarSegment {
  offset: number;
  length: number;
}

/** One member of an archive. */
export interface TarEntry {
  kind: "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";
  /** As stored, without a final slash: may be absolute and may hold `..`. */
  path: string;
  /** Target of a symlink, or path within the archive of a hardlink; else "". */
  linkPath: string;
  /** The 12 permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Names of owner and group; "" if the archive does not say. */
  userName: string;
  groupName: string;
  /** Length of the file, holes included; 0 for what is no file. */
  sizeBytes: number;
  mtime: TarTime;
  atime?: TarTime;
  /** Of a device. */
  major: number;
  minor: number;
  xattrs?: Map<string, Uint8Array<ArrayBuffer>>;
  /** Which parts are stored, in order, if the file has holes. */
  sparse?: TarSegment[];
}

/** Receives an archive from the reader: one `entry`, its `data` in pieces, one `endEntry`; and so on. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /**
   * A piece of the file.
   *
   * @param bytes Valid only during the call.
   * @param offset Where in the file it belongs; what is skipped is a hole.
   */
  data(bytes: Uint8Array<ArrayBuffer>, offset: number): void;
  endEntry(): void;
}
