/**
 * `RUN --mount=...`: what each mount depends on, and what it takes to make it.
 *
 * @module
 */
import { basename } from "./paths.ts";
import { DhowError } from "../errors.ts";
import { isDirectory } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import { FILE_MOUNT, IMAGE_MOUNT } from "../runtime/mount_options.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { BuildSession } from "./session.ts";
import type { RunMount } from "./dockerfile/ast.ts";
import { keyOfSource, type Source, treeRoots } from "./sources.ts";

/** The largest secret, as in BuildKit. */
const SECRET_MAX = 500 * 1024;

/** A mount that is known but not there yet. */
export interface PreparedMount {
  /** What of it decides what the step makes. */
  key: unknown;
  /** Makes it. What it needs stays until `stack` is disposed. */
  open(stack: DisposableStack, directory: string): Promise<OpenedMount>;
}

/** A mount about to be part of a container. */
export interface OpenedMount {
  mounts: SpecMount[];
  env: string[];
}

/** What mounts are made of. */
export interface MountEnvironment {
  session: BuildSession;
  /** What a relative target counts from. */
  absolute(path: string): string;
  /** What `from` names; the context where it is undefined. */
  openSource(from: string | undefined): Promise<Source>;
  signal: AbortSignal | undefined;
}

const NOTHING: OpenedMount = { mounts: [], env: [] };

/** Looks at the mounts of a RUN. @throws {DhowError} For what is missing. */
export async function prepareMounts(
  mounts: readonly RunMount[],
  environment: MountEnvironment,
): Promise<PreparedMount[]> {
  const prepared: PreparedMount[] = [];
  for (const [index, mount] of mounts.entries()) {
    prepared.push(await prepareMount(mount, index, environment));
  }
  return prepared;
}

async function prepareMount(
  mount: RunMount,
  index: number,
  environment: MountEnvironment,
): Promise<PreparedMount> {
  switch (mount.type) {
    case "bind":
      return await prepareBind(mount, index, environment);
    case "cache":
      return await prepareCache(mount, index, environment);
    case "tmpfs":
      return prepareTmpfs(mount, environment);
    case "secret":
      return prepareSecret(mount, environment);
    case "ssh":
      return prepareSsh(mount, index, environment);
  }
}

async function prepareBind(
  mount: RunMount,
  index: number,
  environment: MountEnvironment,
): Promise<PreparedMount> {
  const { session } = environment;
  const destination = targetOf(mount, environment);
  const path = mount.source ?? "/";
  const source = await environment.openSource(mount.from);
  const isReadOnly = mount.readonly ?? true;
  const key = ["bind", destination, path, isReadOnly, await keyOfSource(source, [path])];
  return {
    key,
    open: async (stack, directory) => {
      const isMounted = isReadOnly && session.overlay === "overlay";
      if (source.kind === "layers" && isMounted && source.layers.length > 0) {
        const { base, names } = treeRoots(session, source, stack);
        const subpath = path.replace(/^[/.]+/, "");
        const layers = { base, names: [...names] };
        const image: SpecMount = { destination, type: IMAGE_MOUNT, options: ["rro"], layers };
        if (subpath !== "") image.subpath = subpath;
        return { mounts: [image], env: [] };
      }
      if (source.kind === "context" && isReadOnly) {
        const found = source.digests.resolve(path);
        if (found.isWhole) return bind(found.path, destination, true);
      }
      // What is ignored must not be seen; what is written must not stay.
      const copy = `${directory}/bind-${index}`;
      await copyInto(session, source, { path, upper: copy, scratch: `${copy}.scratch` });
      return bind(onlyChildOf(copy, path), destination, isReadOnly);
    },
  };
}

/** Copies what a mount shows to a place of its own. */
async function copyInto(
  session: BuildSession,
  source: Source,
  { path, upper, scratch }: { path: string; upper: string; scratch: string },
): Promise<void> {
  using stack = new DisposableStack();
  await session.helper.do({
    kind: "copy",
    copy: {
      target: { kind: "overlay", base: "/", names: [], upper, scratch },
      sources: [{
        kind: "tree",
        root: treeRoots(session, source, stack).root,
        path,
        unpack: false,
      }],
      destination: "/",
      parents: false,
      excludes: [],
    },
  });
}

/** Of a file, the file; of a directory, the directory with its content. */
function onlyChildOf(directory: string, path: string): string {
  const name = basename(path);
  const file = `${directory}/${name}`;
  const entries = [...Deno.readDirSync(directory)];
  return name !== "" && entries.length === 1 && entries[0]!.name === name && !isDirectory(file)
    ? file
    : directory;
}

function bind(source: string, destination: string, isReadOnly: boolean): OpenedMount {
  const type = isDirectory(source) ? "bind" : "bind-file";
  const options = ["rbind", ...isReadOnly ? ["rro"] : []];
  return { mounts: [{ destination, type, source, options }], env: [] };
}

async function prepareCache(
  mount: RunMount,
  index: number,
  environment: MountEnvironment,
): Promise<PreparedMount> {
  const { session, signal } = environment;
  const destination = targetOf(mount, environment);
  const id = mount.id ?? destination;
  const { uid = 0, gid = 0, mode = 0o755, sharing = "shared", readonly = false } = mount;
  const source = mount.from === undefined ? undefined : await environment.openSource(mount.from);
  const path = mount.source ?? "/";
  return {
    key: ["cache", destination, id, mount.source, mount.from],
    open: async (stack, directory) => {
      const { openCacheMount } = await lazy<typeof import("./cache_mounts.ts")>(
        "./cache_mounts.ts",
        import.meta.url,
      );
      const data = await openCacheMount(session, {
        id,
        uid,
        gid,
        mode,
        sharing,
        ...source && {
          seed: (upper: string) =>
            copyInto(session, source, { path, upper, scratch: `${directory}/seed-${index}` }),
        },
      }, { stack, signal });
      return bind(data, destination, readonly);
    },
  };
}

function prepareTmpfs(mount: RunMount, environment: MountEnvironment): PreparedMount {
  const destination = targetOf(mount, environment);
  const options = ["nosuid", "nodev"];
  if (mount.sizeBytes !== undefined) options.push(`size=${mount.sizeBytes}`);
  const mounts = [{ destination, type: "tmpfs", source: "tmpfs", options }];
  return {
    key: ["tmpfs", destination, mount.sizeBytes],
    open: () => Promise.resolve({ mounts, env: [] }),
  };
}

function prepareSecret(mount: RunMount, environment: MountEnvironment): PreparedMount {
  const { target, env, uid = 0, gid = 0, mode = 0o400, required = false } = mount;
  const id = mount.id ?? basename(target ?? "");
  if (id === "") throw new DhowError("invalid_argument", "one of source, target required");
  const isFile = env === undefined || target !== undefined;
  const destination = environment.absolute(target ?? `/run/secrets/${id}`);
  const secret = environment.session.request.secrets.find((one) => one.id === id);
  if (secret === undefined && required) throw new DhowError("not_found", `secret ${id}: not found`);
  return {
    // Neither the content nor whether there is any: a secret is no reason to do a step again.
    key: ["secret", isFile ? destination : null, id, env ?? null, uid, gid, mode],
    open: async () => {
      if (secret === undefined) return NOTHING;
      const content = new Uint8Array(await secret.read());
      if (content.length > SECRET_MAX) {
        throw new DhowError(
          "invalid_argument",
          `secret ${id}: invalid secret size ${content.length}, at most ${SECRET_MAX} are possible`,
        );
      }
      const mounts: SpecMount[] = !isFile
        ? []
        : [{ destination, type: FILE_MOUNT, file: { content, mode, uid, gid } }];
      return {
        mounts,
        env: env === undefined ? [] : [`${env}=${new TextDecoder().decode(content)}`],
      };
    },
  };
}

function prepareSsh(
  mount: RunMount,
  index: number,
  { session, absolute }: MountEnvironment,
): PreparedMount {
  const id = mount.id ?? "default";
  const destination = absolute(mount.target ?? `/run/buildkit/ssh_agent.${index}`);
  const agent = session.request.ssh.find((one) => one.id === id);
  if (agent === undefined && mount.required) {
    throw new DhowError(
      "not_found",
      `no SSH key "${id}" forwarded from the client`,
    );
  }
  return {
    key: ["ssh", destination, id],
    open: () =>
      Promise.resolve(
        agent === undefined ? NOTHING : {
          ...bind(agent.socket, destination, true),
          env: [`SSH_AUTH_SOCK=${destination}`],
        },
      ),
  };
}

function targetOf(mount: RunMount, { absolute }: MountEnvironment): string {
  const destination = absolute(mount.target ?? "");
  if (destination === "/") throw new DhowError("invalid_argument", `invalid mount target "/"`);
  return destination;
}
