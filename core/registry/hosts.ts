/**
 * Names of registries: what docker.io really is, which hosts are this machine, and under what name passwords are kept.
 *
 * @module
 */

/** Docker Hub's key in docker's config file. */
export const HUB_KEY = "https://index.docker.io/v1/";

/** Where the registry of a reference's domain listens: `docker.io` is `registry-1.docker.io`. */
export function registryHost(domain: string): string {
  return domain === "docker.io" ? "registry-1.docker.io" : domain;
}

/** The name under which docker keeps a registry's credentials. */
export function authKey(domain: string): string {
  return ["docker.io", "index.docker.io", "registry-1.docker.io"].includes(domain)
    ? HUB_KEY
    : domain;
}

/** `https://index.docker.io/v1/` -> `index.docker.io`: what docker compares when a key does not fit as it is. */
export function keyHost(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

/**
 * The registry that somebody means by the argument of `login`: without scheme and path, and `docker.io` for the hub.
 */
export function parseServer(server: string): string {
  const host = keyHost(server.trim());
  return ["", "docker.io", "index.docker.io", "registry-1.docker.io"].includes(host)
    ? "docker.io"
    : host;
}

/** Whether `host[:port]` is this machine: docker allows plain http there. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}
