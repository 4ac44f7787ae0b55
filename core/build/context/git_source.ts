/**
 * Repositories as sources of files: what counts as an address of one, and a checkout by the program git.
 *
 * @see https://docs.docker.com/build/concepts/context/#git-repositories
 * @module
 */
import { DhowError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";

/** `https://host/repository.git#ref:directory`, taken apart. */
export interface GitSource {
  /** As git takes it, without fragment. */
  remote: string;
  /** Branch, tag or commit; undefined is the repository's default branch. */
  ref?: string;
  /** Which directory of it counts; without slashes around it. */
  directory?: string;
}

/** How to check out. */
export interface CheckoutOptions {
  /** Leave `.git` there. @default false */
  keepGitDir?: boolean;
  /** Path of an ssh agent's socket. @default the environment's */
  sshAuthSock?: string;
  /** Kills git; the promise rejects with its reason. */
  signal?: AbortSignal;
}

/**
 * Takes the address of a repository apart: `git://...`, `ssh://...`, `USER@HOST:PATH`, `github.com/...`, and
 * `http(s)://...` if its path ends in `.git`.
 *
 * @returns Undefined if `text` is none.
 */
export function parseGitSource(text: string): GitSource | undefined {
  if (/^github\.com\/[^/]/.test(text)) text = `https://${text}`;
  const hash = text.indexOf("#");
  const remote = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? "" : text.slice(hash + 1);
  const isGit = /^(git|ssh):\/\/[^-]/.test(remote) || /^https:\/\/github\.com\//.test(remote) ||
    /^https?:\/\/.*\.git$/.test(remote.split("?")[0]!) ||
    /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:[^:]*$/.test(remote);
  if (!isGit) return undefined;
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const directory = (colon < 0 ? "" : fragment.slice(colon + 1)).replace(/^\/+|\/+$/g, "");
  return { remote, ...ref !== "" && { ref }, ...directory !== "" && { directory } };
}

/**
 * Checks a repository out into `target`, an empty directory, with its submodules, without history.
 *
 * Nothing of the repository or of the user's settings is run: no hooks, no filters, and no protocol but http, https, git
 * and ssh, so that a submodule cannot name a file of this machine.
 *
 * @returns The commit.
 * @throws {DhowError} `unsupported` if git is missing, `invalid_argument`, `unavailable` with git's words.
 */
export async function checkOut(
  source: GitSource,
  target: string,
  options: CheckoutOptions = {},
): Promise<string> {
  const { remote, ref } = source;
  if (ref !== undefined && !/^[^-\s~^:?*[\\][^\s~^:?*[\\]*$/.test(ref)) {
    throw new DhowError("invalid_argument", `invalid git ref ${JSON.stringify(ref)}`);
  }
  const git = (...args: string[]) => runGit(args, { ...options, target, remote });
  await git("init", "--quiet", "--template=", ".");
  await git("remote", "add", "origin", "--", remote);
  await fetchRef(git, ref ?? "HEAD");
  await git("checkout", "--quiet", "--detach", "FETCH_HEAD");
  const commit = await git("rev-parse", "HEAD");
  if (await isThere(`${target}/.gitmodules`)) {
    await git("submodule", "update", "--init", "--recursive", "--depth=1", "--quiet");
  }
  if (!options.keepGitDir) await removeGitDirectories(target);
  return commit;
}

type Git = (...args: string[]) => Promise<string>;

async function fetchRef(git: Git, ref: string): Promise<void> {
  try {
    await git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", ref);
  } catch (error) {
    // A server of plain files knows no depth.
    if (/dumb http transport/.test((error as Error).message)) {
      return void await git("fetch", "--quiet", "--no-tags", "origin", ref);
    }
    // Not every server answers for a commit, and none for a short one.
    if (!/^[\da-f]{7,64}$/.test(ref)) throw error;
    await git("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*");
    await git("update-ref", "FETCH_HEAD", await git("rev-parse", "--verify", `${ref}^{commit}`));
  }
}

/** Settings that are not the repository's to choose. */
const SAFE = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "protocol.file.allow=never",
  "protocol.ext.allow=never",
  "advice.detachedHead=false",
  "init.defaultBranch=main",
  "gc.auto=0",
].flatMap((setting) => ["-c", setting]);

async function runGit(
  args: readonly string[],
  options: CheckoutOptions & { target: string; remote: string },
): Promise<string> {
  const { target, remote, signal, sshAuthSock } = options;
  signal?.throwIfAborted();
  const command = new Deno.Command("git", {
    args: [...SAFE, ...args],
    cwd: target,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: {
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ALLOW_PROTOCOL: "http:https:git:ssh",
      GIT_LFS_SKIP_SMUDGE: "1",
      GIT_SSH_COMMAND: Deno.env.get("GIT_SSH_COMMAND") || "ssh -oBatchMode=yes",
      ...sshAuthSock !== undefined && { SSH_AUTH_SOCK: sshAuthSock },
    },
    ...signal && { signal },
  });
  let result: Deno.CommandOutput;
  try {
    result = await command.output();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DhowError(
      "unsupported",
      `Cannot fetch "${withoutPassword(remote)}": git is not installed; install the package git`,
      { cause },
    );
  }
  signal?.throwIfAborted();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (result.success) return text(result.stdout);
  const said = withoutPassword(printable(text(result.stderr), 2000));
  throw new DhowError(
    "unavailable",
    `failed to fetch remote ${withoutPassword(remote)}: git ${args[0]}: ${said}`,
  );
}

/** Without user and password, which are nobody's business. */
function withoutPassword(text: string): string {
  return text.replace(/(\w:\/\/)[^/@\s]*@/g, "$1");
}

async function removeGitDirectories(target: string): Promise<void> {
  await Deno.remove(`${target}/.git`, { recursive: true });
  // Submodules have a file of that name that leads to what is gone now.
  for await (const { name, isDirectory } of Deno.readDir(target)) {
    if (isDirectory) await removeGitFiles(`${target}/${name}`);
  }
}

async function removeGitFiles(directory: string): Promise<void> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    if (isFile && name === ".git") await Deno.remove(`${directory}/${name}`);
    else if (isDirectory) await removeGitFiles(`${directory}/${name}`);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
