/**
 * dhow's version: the one of deno.json.
 *
 * @module
 */

/** As `dhow --version` prints it. */
export const VERSION = "0.1.0";
