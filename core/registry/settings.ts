/**
 * What the user's config file says about registries.
 *
 * @module
 */

/** How one registry is reached. */
export interface RegistrySettings {
  /** Asked first, in this order, for what is pulled; `host[:port][/path]`, with `http://` before it if need be. */
  mirrors?: readonly string[];
  /** Plain http and certificates nobody vouches for will do. */
  insecure?: boolean;
  /** Patience: until an answer begins, and between pieces of one. */
  timeoutMs?: number;
  /** How often a request is sent before giving up. */
  attempts?: number;
}

/** The file as a whole. */
export interface Settings {
  /** By the domain of references: `docker.io`, `localhost:5000`. */
  registries: ReadonlyMap<string, RegistrySettings>;
  /** What holds for registries that say nothing else; mirrors excepted. */
  defaults: Omit<RegistrySettings, "mirrors">;
}

/** No file. */
export const NO_SETTINGS: Settings = { registries: new Map(), defaults: {} };

/** What holds for one registry. */
export function settingsFor(settings: Settings, domain: string): RegistrySettings {
  return { ...settings.defaults, ...settings.registries.get(domain) };
}
