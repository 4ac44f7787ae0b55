/**
 * From a script's options to the body of `POST /containers/create`.
 *
 * @module
 */
import { DEFAULT_HOST_CONFIG } from "../container/default_host_config.ts";
import type { ContainerCreate, HostConfig } from "../spec/docker_api.ts";

/** How a container is made; all of it optional. Docker's flag of the same meaning is named with each. */
export interface ContainerOptions {
  /** Command and arguments instead of the image's. */
  cmd?: string[];
  /** `--entrypoint`, as a list. */
  entrypoint?: string[];
  /** `--name`. @default a made-up one */
  name?: string;
  /** `--env`. */
  env?: Record<string, string>;
  /** `--workdir`. */
  cwd?: string;
  /** `--user`: `name`, `uid`, `user:group`. */
  user?: string;
  /** `--hostname`. */
  hostname?: string;
  /** `--volume`: `/on/host:/in/container[:ro]`, `name:/path`, `/path`. */
  volumes?: string[];
  /** `--tmpfs`: path to options. */
  tmpfs?: Record<string, string>;
  /** `--label`. */
  labels?: Record<string, string>;
  /** `--network`: `none`, `host`, `bridge`, `container:NAME`, or the name of a network that was made. @default `none` */
  network?: string;
  /** `--network-alias`: further names that others on its network, which must be one that was made, find it by. */
  networkAliases?: string[];
  /** `--read-only`. @default false */
  readOnly?: boolean;
  /** `--init`. @default false */
  init?: boolean;
  /** `--interactive`: keep stdin open. @default false */
  openStdin?: boolean;
  /** Settings by docker's own names, over all the others. */
  hostConfig?: Partial<HostConfig>;
}

/** Builds the request for a container of `image`. */
export function createRequest(image: string, options: ContainerOptions = {}): ContainerCreate {
  const stdin = options.openStdin ?? false;
  return {
    ...options.name !== undefined && { name: options.name },
    config: {
      Hostname: options.hostname ?? "",
      Domainname: "",
      User: options.user ?? "",
      AttachStdin: stdin,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      OpenStdin: stdin,
      StdinOnce: stdin,
      Env: Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
      Cmd: options.cmd ?? null,
      Image: image,
      Volumes: null,
      WorkingDir: options.cwd ?? "",
      Entrypoint: options.entrypoint ?? null,
      OnBuild: null,
      Labels: options.labels ?? {},
    },
    hostConfig: { ...DEFAULT_HOST_CONFIG, ...hostConfig(options), ...options.hostConfig },
    ...options.network !== undefined && options.networkAliases?.length && {
      networkingConfig: {
        EndpointsConfig: { [options.network]: { Aliases: options.networkAliases } },
      },
    },
  };
}

function hostConfig(options: ContainerOptions): Partial<HostConfig> {
  const paths = options.volumes ?? [];
  return {
    Binds: paths.length > 0 ? paths : null,
    ...options.tmpfs && { Tmpfs: options.tmpfs },
    NetworkMode: options.network ?? "none",
    ReadonlyRootfs: options.readOnly ?? false,
    ...options.init !== undefined && { Init: options.init },
  };
}
