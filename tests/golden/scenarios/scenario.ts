/**
 * What a scenario is.
 *
 * @module
 */

/** Lines that belong together, in order; each is one run of `sh -c`. */
export interface Scenario {
  name: string;
  lines: readonly string[];
}
