/**
 * Where dhow keeps things: the store that lasts and the runtime directory that may vanish at logout.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** Every place of one store, as absolute paths without a final slash. */
export interface StorePaths {
  /** `$XDG_DATA_HOME/dhow`, or as told by `--root` or `$DHOW_ROOT`. */
  root: string;
  /** Sockets and pid files: `$XDG_RUNTIME_DIR/dhow`; belongs to this root alone. */
  runtime: string;
  /** Blobs of the OCI layout, named by the hex digits of their SHA-256. */
  blobs: string;
  /** `index.json` of the OCI layout. */
  index: string;
  /** Unpacked layers, in one directory for each id mapping. */
  layers: string;
  /** One directory a container, named by its id. */
  containers: string;
  /** One symbolic link a container name. */
  names: string;
  /** One directory a volume, named by its name. */
  volumes: string;
  /** Compiled seccomp filters and the like: may be deleted at any time. */
  cache: string;
  /** Half-made things; on the same file system as the rest. */
  tmp: string;
  /** The event log, one JSON object a line. */
  events: string;
}

/** Name of the file that says where a store has moved to. */
const MOVED_TO = "moved-to";

/**
 * Says where the store is; one that has moved says so itself.
 *
 * @param root What `--root` said; a relative path counts from the working directory.
 * @throws {DhowError} `invalid_argument` if there is neither a root nor a home directory.
 */
export function storePaths(root?: string): StorePaths {
  const told = absolute(root || Deno.env.get("DHOW_ROOT") || defaultRoot());
  const moved = readMove(told);
  return moved === undefined ? pathsBelow(told) : movedStorePaths(moved);
}

/** Where a store says that it has moved to, if it has. */
function readMove(root: string): string | undefined {
  try {
    return Deno.readTextFileSync(`${root}/${MOVED_TO}`).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Notes in `from` that the store is at `to` from now on. */
export function noteMove(from: StorePaths, to: StorePaths): void {
  Deno.writeTextFileSync(`${from.root}/${MOVED_TO}`, to.root + "\n", { mode: 0o600 });
}

/**
 * The paths of a store in a place that others may write to; makes it, for this user alone.
 *
 * @throws {DhowError} `conflict` if it belongs to somebody else, or others may write into it.
 */
export function movedStorePaths(root: string): StorePaths {
  const base = absolute(root);
  try {
    Deno.mkdirSync(base, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const info = Deno.lstatSync(base);
  if (!info.isDirectory || info.uid !== Deno.uid() || ((info.mode ?? 0) & 0o022) !== 0) {
    throw new DhowError(
      "conflict",
      `Cannot keep images and containers in "${base}": it is no directory of yours alone; remove it, or set DHOW_ROOT to a directory on a local file system`,
    );
  }
  return pathsBelow(base);
}

function pathsBelow(base: string): StorePaths {
  return {
    root: base,
    runtime: runtimeDirectory(base),
    blobs: `${base}/blobs/sha256`,
    index: `${base}/index.json`,
    layers: `${base}/layers`,
    containers: `${base}/containers`,
    names: `${base}/names`,
    volumes: `${base}/volumes`,
    cache: `${base}/cache`,
    tmp: `${base}/tmp`,
    events: `${base}/events.jsonl`,
  };
}

function absolute(path: string): string {
  const whole = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return whole.replace(/\/+$/, "") || "/";
}

function defaultRoot(): string {
  if (Deno.uid() === 0) return "/var/lib/dhow";
  const data = Deno.env.get("XDG_DATA_HOME");
  if (data?.startsWith("/")) return `${data}/dhow`;
  const home = Deno.env.get("HOME");
  if (home?.startsWith("/")) return `${home}/.local/share/dhow`;
  throw new DhowError(
    "invalid_argument",
    "Cannot tell where to keep images and containers: HOME is not set; set it, or pass --root DIR",
  );
}

function runtimeDirectory(root: string): string {
  const uid = Deno.uid();
  const xdg = Deno.env.get("XDG_RUNTIME_DIR");
  const base = uid === 0 ? "/run/dhow" : xdg?.startsWith("/") ? `${xdg}/dhow` : `/tmp/dhow-${uid}`;
  const wellKnown = root === "/var/lib/dhow" || root.endsWith("/.local/share/dhow");
  return wellKnown ? base : `${base}/${shortHash(root)}`;
}

/** FNV-1a, for names that only have to differ; nothing is trusted because of it. */
function shortHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36);
}

/**
 * Makes the runtime directory, for this user alone.
 *
 * @throws {DhowError} `conflict` if it belongs to somebody else (a directory in /tmp may be laid as a trap).
 */
export function ensureRuntimeDirectory(paths: StorePaths): void {
  try {
    Deno.mkdirSync(paths.runtime, { recursive: true, mode: 0o700 });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) {
      throw new DhowError(
        "unavailable",
        `Cannot make the runtime directory "${paths.runtime}": ${
          (cause as Error).message
        }; set XDG_RUNTIME_DIR to a directory of yours`,
        { cause },
      );
    }
  }
  const info = Deno.lstatSync(paths.runtime);
  if (!info.isDirectory || info.uid !== Deno.uid()) {
    throw new DhowError(
      "conflict",
      `Cannot use the runtime directory "${paths.runtime}": it belongs to user ${info.uid}; set XDG_RUNTIME_DIR to a directory of yours`,
    );
  }
}
