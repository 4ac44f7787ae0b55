/**
 * What JSON from elsewhere must look like before it is taken for what a type says.
 *
 * @module
 */

/**
 * What a value is: a text, a number, one that counts (whole, not negative), a list of one kind, or fields. Fields may be
 * missing or null, which is as good as nothing, as in Go; the field `*` is any that is not named.
 */
export type Shape =
  | "text"
  | "number"
  | "count"
  | "boolean"
  | "anything"
  | readonly [Shape]
  | { readonly [field: string]: Shape };

/**
 * Checks a value.
 *
 * @param path What it is called: `the profile`.
 * @throws {TypeError} That says which part is not what it should be: `the profile.flags[0] is no string`.
 */
export function assertShape(value: unknown, shape: Shape, path: string): void {
  const insist = (isRight: boolean, kind: string) => {
    if (!isRight) throw new TypeError(`${path} is no ${kind}`);
  };
  if (shape === "text") insist(typeof value === "string", "string");
  else if (shape === "boolean") insist(typeof value === "boolean", "boolean");
  else if (shape === "number") insist(typeof value === "number", "number");
  else if (shape === "count") {
    const isWhole = typeof value === "bigint" || Number.isSafeInteger(value);
    insist(isWhole && (value as number | bigint) >= 0, "number");
  } else if (isList(shape)) {
    insist(Array.isArray(value), "list");
    for (const [i, item] of (value as unknown[]).entries()) {
      assertShape(item, shape[0], `${path}[${i}]`);
    }
  } else if (shape !== "anything") {
    insist(typeof value === "object" && value !== null && !Array.isArray(value), "object");
    for (const [field, inner] of Object.entries(value as Record<string, unknown>)) {
      const known = Object.hasOwn(shape, field) ? shape[field] : shape["*"];
      if (known === undefined || inner === undefined || inner === null) continue;
      assertShape(inner, known, shape["*"] === undefined ? `${path}.${field}` : `${path}.*`);
    }
  }
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}
