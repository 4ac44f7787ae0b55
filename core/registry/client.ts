/**
 * The way to a registry: opens a repository by name.
 *
 * @module
 */
import { HttpRepository } from "./http_repository.ts";
import type { Repository, RepositoryName } from "./repository.ts";
import { Transport } from "./transport.ts";

/** How registries are reached. */
export interface RegistryOptions {
  /** Whether plain http and certificates nobody vouches for are good enough, as for `--insecure`. @default false */
  insecure?: boolean;
}

/**
 * Opens a repository. Nothing is sent before its first method is called; dispose of it to close its connections.
 */
export function openRepository(name: RepositoryName, _options: RegistryOptions = {}): Repository {
  const host = name.domain === "docker.io" ? "registry-1.docker.io" : name.domain;
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
  return new HttpRepository(name, new Transport(`${isLoopback ? "http" : "https"}://${host}`));
}
