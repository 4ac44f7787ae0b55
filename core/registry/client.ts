/**
 * The way to a registry: opens a repository by name.
 *
 * @module
 */
import { type CredentialSource, findCredentials } from "./credentials.ts";
import { registryHost } from "./hosts.ts";
import { HttpRepository } from "./http_repository.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { MirroredRepository } from "./mirrored_repository.ts";
import { readSettings } from "./read_settings.ts";
import type { Repository, RepositoryName } from "./repository.ts";
import { type RegistrySettings, type Settings, settingsFor } from "./settings.ts";
import { type Endpoint, Transport } from "./transport.ts";

/** How registries are reached. */
export interface RegistryOptions {
  /** Plain http and certificates nobody vouches for are good enough, as with `--insecure`. @default what the file says */
  insecure?: boolean;
  /** What is to be done there: tokens are asked for accordingly. @default "pull" */
  actions?: "pull" | "pull,push";
  /** The config file. @default the user's */
  settings?: Settings;
  /** Who we are. @default what docker's config file and auth.json say */
  credentials?: CredentialSource;
  /** Patience. @default what suits slow lines */
  limits?: Partial<Limits>;
}

/**
 * Opens a repository. Nothing is read or sent before its first method is called; dispose of it to close its connections.
 *
 * Mirrors that the config file names are asked first for manifests and blobs; everything else goes to the registry.
 */
export function openRepository(name: RepositoryName, options: RegistryOptions = {}): Repository {
  const { domain, repository } = name;
  return new MirroredRepository({ domain, repository }, async () => {
    const settings = settingsFor(options.settings ?? await readSettings(), domain);
    const mirrors = options.actions === "pull,push" ? [] : settings.mirrors ?? [];
    return [
      ...mirrors.map((mirror) => openMirror(name, mirror, options, settings)),
      openOrigin(name, options, settings),
    ];
  });
}

/** A transport to the registry `domain`, for what is not about one repository. */
export async function openTransport(
  domain: string,
  options: RegistryOptions & { offline?: boolean } = {},
): Promise<Transport> {
  const settings = settingsFor(options.settings ?? await readSettings(), domain);
  const { offline = false } = options;
  return new Transport(endpointOf(domain, options, settings), {
    limits: limitsOf(options, settings),
    credentials: options.credentials ?? findCredentials,
    offline,
  });
}

function openOrigin(
  name: RepositoryName,
  options: RegistryOptions,
  settings: RegistrySettings,
): Repository {
  const limits = limitsOf(options, settings);
  const transport = new Transport(endpointOf(name.domain, options, settings), {
    limits,
    credentials: options.credentials ?? findCredentials,
    repository: name.repository,
  });
  const { actions } = options;
  return new HttpRepository(name, { transport, limits, ...actions && { actions } });
}

/** A mirror has its own name, credentials and trust; it gets few tries, since there is another place to ask. */
function openMirror(
  name: RepositoryName,
  mirror: string,
  options: RegistryOptions,
  settings: RegistrySettings,
): Repository {
  const [, scheme, host, path] = /^(https?:\/\/)?([^/]+)(?:\/(.*?))?\/?$/.exec(mirror)!;
  const limits = { ...limitsOf(options, settings), attempts: 2 };
  const remoteName = path ? `${path}/${name.repository}` : name.repository;
  const endpoint = { host: host!, domain: host!, isInsecure: scheme === "http://" };
  const transport = new Transport(endpoint, {
    limits,
    credentials: options.credentials ?? findCredentials,
    repository: remoteName,
  });
  return new HttpRepository(name, { transport, limits, remoteName });
}

function endpointOf(
  domain: string,
  options: RegistryOptions,
  settings: RegistrySettings,
): Endpoint {
  const isInsecure = options.insecure ?? settings.insecure ?? false;
  return { host: registryHost(domain), domain, isInsecure };
}

function limitsOf(options: RegistryOptions, settings: RegistrySettings): Limits {
  const { timeoutMs, attempts } = settings;
  return {
    ...DEFAULT_LIMITS,
    ...timeoutMs !== undefined && { answerMs: timeoutMs, stallMs: timeoutMs },
    ...attempts !== undefined && { attempts },
    ...options.limits,
  };
}
