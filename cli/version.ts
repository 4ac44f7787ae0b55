/**
 * dhow's own version, the one place that says it.
 *
 * @module
 */

/** As `dhow --version` prints it; deno.json says the same, and a test compares. */
export const version = "0.1.0";
