/**
 * Loading a module when it is needed, and not before.
 *
 * Deno loads whatever a module graph names in `import("...")` with a literal as soon as it loads the graph, whether the
 * call is ever made or not: two hundred files for `dhow --version`. A specifier that is not a literal is loaded when the
 * call is made.
 *
 * @module
 */

/**
 * Imports the module at `specifier`, relative to `base`.
 *
 * @example
 * ```ts ignore
 * const { pack } = await lazy<typeof import("./pack.ts")>("./pack.ts", import.meta.url);
 * ```
 *
 * @param base The caller's `import.meta.url`.
 */
export function lazy<T>(specifier: string, base: string): Promise<T> {
  return import(new URL(specifier, base).href);
}
