/**
 * The user's config file, `$XDG_CONFIG_HOME/dhow/config.yaml`.
 *
 * @module
 */
import { NO_SETTINGS, type Settings } from "./settings.ts";

/** Reads the file. */
export function readSettings(): Promise<Settings> {
  return Promise.resolve(NO_SETTINGS);
}
