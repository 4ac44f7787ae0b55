/**
 * All that is fuzzed.
 *
 * @module
 */
import type { FuzzTarget } from "./target.ts";
import { dockerfile } from "./targets/dockerfile.ts";
import { dockerignore } from "./targets/dockerignore.ts";
import { expansion } from "./targets/expansion.ts";
import { glob } from "./targets/glob.ts";

/** By name. */
export const targets: Readonly<Record<string, FuzzTarget>> = {
  dockerfile,
  dockerignore,
  expansion,
  glob,
};
