/**
 * `ADD https://...` and `ADD https://...git#ref:directory`.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseTimestamp } from "./http_date.ts";
import { checkOut, type GitSource, parseGitSource } from "./context/git_source.ts";
import type { CopyEnvironment, GatheredSource } from "./copy_step.ts";
import type { AddInstruction } from "./dockerfile/ast.ts";
import { basename } from "./paths.ts";

/** Fetches what an address leads to. With `--checksum` only if the step is not in the cache. */
export async function gatherRemote(
  address: string,
  instruction: AddInstruction,
  environment: CopyEnvironment,
): Promise<GatheredSource> {
  const git = parseGitSource(address);
  if (git !== undefined) return await gatherGit(git, instruction, environment);
  return await gatherUrl(address, instruction, environment);
}

/** A file that was fetched. */
interface Download {
  path: string;
  name: string;
  digest: string;
  mtime?: number;
}

async function gatherUrl(
  url: string,
  { checksum, unpack = false, destination }: AddInstruction,
  { session }: CopyEnvironment,
): Promise<GatheredSource> {
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum)) {
    throw new DhowError(
      "invalid_argument",
      `invalid checksum: "${checksum}" is no sha256:... of 64 hexadecimal digits`,
    );
  }
  let fetched: Promise<Download> | undefined;
  const fetchOnce = () => fetched ??= download(url, session.newDirectory(), session.signal);
  const known = checksum === undefined ? await fetchOnce() : undefined;
  const isDirectory = /(^|\/)\.?$/.test(destination);
  return {
    key: () => ["url", checksum ?? known!.digest, known?.mtime, unpack, isDirectory ? url : null],
    open: async () => {
      const { path, name, digest, mtime } = await fetchOnce();
      if (checksum !== undefined && checksum !== digest) {
        throw new DhowError("digest_mismatch", `digest mismatch ${digest}: ${checksum}`);
      }
      const time = mtime === undefined ? {} : { mtime };
      return [{ kind: "file", path, name, unpack, mode: 0o600, ...time }];
    },
  };
}

async function download(url: string, path: string, signal: AbortSignal): Promise<Download> {
  const shown = withoutSecrets(url);
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new DhowError(
      "unavailable",
      `failed to load cache key: Get "${shown}": ${(cause as Error).message}`,
      { cause },
    );
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new DhowError(
      response.status === 404 ? "not_found" : "unavailable",
      `failed to load cache key: invalid response status ${response.status}`,
    );
  }
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    for await (const bytes of response.body) {
      hash.update(bytes);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    }
  }
  const modified = response.headers.get("last-modified");
  const mtime = modified === null ? undefined : parseTimestamp(modified);
  return {
    path,
    name: nameOf(url, response.headers.get("content-disposition")),
    digest: `sha256:${hash.digest("hex")}`,
    ...mtime !== undefined && { mtime },
  };
}

/** What a file that was fetched is called: what the server says, else the end of the address. */
function nameOf(url: string, disposition: string | null): string {
  const match = /filename="?([^";]+)"?/i.exec(disposition ?? "");
  const said = basename(match?.[1]?.trim() ?? "");
  if (said !== "" && said !== "." && said !== "..") return said;
  const path = new URL(url).pathname;
  try {
    return basename(decodeURIComponent(path)) || "Unknown";
  } catch {
    return basename(path) || "Unknown";
  }
}

function withoutSecrets(text: string): string {
  const url = new URL(text);
  url.username = url.password = url.search = "";
  return url.href;
}

async function gatherGit(
  source: GitSource,
  { keepGitDir, checksum, destination: _destination }: AddInstruction,
  { session }: CopyEnvironment,
): Promise<GatheredSource> {
  const { remote, ref, directory = "" } = source;
  const agent = session.request.ssh.find(({ id }) => id === "default");
  let made: Promise<{ path: string; commit: string }> | undefined;
  const checkOutOnce = () =>
    made ??= (async () => {
      const path = session.newDirectory();
      await Deno.mkdir(path, { mode: 0o700 });
      const commit = await checkOut(source, path, {
        keepGitDir,
        ...agent && { sshAuthSock: agent.socket },
        signal: session.signal,
      });
      if (checksum !== undefined && !commit.startsWith(checksum)) {
        throw new DhowError(
          "digest_mismatch",
          `expected checksum to match ${checksum}, got ${commit}`,
        );
      }
      return { path, commit };
    })();
  const isExact = /^[0-9a-f]{40}$/.test(ref ?? "");
  const commit = isExact ? ref! : (await checkOutOnce()).commit;
  return {
    key: () => ["git", withoutCredentials(remote), commit, directory, keepGitDir],
    open: async () => {
      const { path } = await checkOutOnce();
      const root = { kind: "directory" as const, path, ignore: [] };
      return [{ kind: "tree", root, path: directory || "/", unpack: false }];
    },
  };
}

function withoutCredentials(remote: string): string {
  return remote.replace(/^(\w+:\/\/)[^/@]*@/, "$1");
}
