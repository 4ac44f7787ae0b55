/**
 * Where `cp` copies to, and under which name: docker's rules, which are those of cp(1) made strict.
 *
 * @module
 */

/** One side of a copy. */
export interface CopyEnd {
  /** As given: a final `/` says "a directory", a final `/.` says "what is in it". */
  path: string;
  exists: boolean;
  isDirectory: boolean;
}

/** What to do with the source's archive. */
export interface CopyPlan {
  /** The directory to extract in. */
  directory: string;
  /** What the top of the archive is called there; undefined keeps the source's name (or none, for `/.`). */
  name?: string;
}

/** Splits `CONTAINER:PATH`; a path that begins with `.` or `/` is local, as is `-`. */
export function splitCopyArgument(text: string): { container: string; path: string } {
  const colon = text.indexOf(":");
  if (text === "-" || /^[./]/.test(text) || colon <= 0) return { container: "", path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** Whether the source stands for its content: `dir/.`. */
export function meansContent(path: string): boolean {
  return path === "." || path.endsWith("/.");
}

/** Last part of a path; `.` for `dir/.`, `/` for the root. */
export function copyBase(path: string): string {
  if (meansContent(path)) return ".";
  const trimmed = path.replace(/\/+$/, "");
  return trimmed === "" ? "/" : trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** All but the last part. */
export function copyDirectory(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : trimmed.slice(0, slash);
}

/**
 * Decides where the archive of `source` goes.
 *
 * @throws {Error} `cannot copy directory` onto a file, `no such directory` for `missing/`.
 */
export function planCopy(source: CopyEnd, destination: CopyEnd): CopyPlan {
  const { path } = destination;
  if (destination.exists && destination.isDirectory) return { directory: path };
  if (destination.exists && source.isDirectory) throw new Error("cannot copy directory");
  const isAsserted = path.endsWith("/") || meansContent(path);
  if (!source.isDirectory && isAsserted) {
    throw new Error("no such directory");
  }
  return { directory: copyDirectory(path), name: copyBase(path) };
}

/** Gives the top of an archive another name; `top` is the path of its first member. */
export function rebase(path: string, top: string, name: string | undefined): string {
  if (name === undefined) return path;
  if (path === top) return name;
  const rest = top === "." || top === "" ? path.replace(/^\.\//, "") : path.slice(top.length + 1);
  return `${name}/${rest}`;
}
