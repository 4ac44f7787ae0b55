/**
 * Scopes of tokens: `repository:library/busybox:pull,push`.
 *
 * @see https://distribution.github.io/distribution/spec/auth/scope/
 * @module
 */

/** The scope of a repository. */
export function repositoryScope(repository: string, actions: "pull" | "pull,push"): string {
  return `repository:${repository}:${actions}`;
}

/** One scope list that asks for all that the given ones ask for, each resource once. */
export function mergeScopes(...scopes: readonly string[]): string {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.flatMap((list) => list.split(" "))) {
    const colon = scope.lastIndexOf(":");
    if (colon < 0) continue;
    const resource = scope.slice(0, colon);
    const set = actions.get(resource) ?? new Set();
    for (const action of scope.slice(colon + 1).split(",")) set.add(action);
    actions.set(resource, set);
  }
  return [...actions].map(([resource, set]) => `${resource}:${[...set].sort().join(",")}`)
    .join(" ");
}
