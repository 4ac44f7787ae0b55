/**
 * What a seccomp profile's JSON must look like.
 *
 * @module
 */

/** What a value is: a text, a whole number that is not negative, a list of one kind, fields that all may be missing. */
type Shape = "text" | "number" | readonly [Shape] | { readonly [field: string]: Shape };

const CONDITION: Shape = { caps: ["text"], arches: ["text"], minKernel: "text" };

const PROFILE: Shape = {
  defaultAction: "text",
  defaultErrnoRet: "number",
  architectures: ["text"],
  archMap: [{ architecture: "text", subArchitectures: ["text"] }],
  flags: ["text"],
  syscalls: [{
    names: ["text"],
    name: "text",
    action: "text",
    errnoRet: "number",
    args: [{ index: "number", value: "number", valueTwo: "number", op: "text" }],
    includes: CONDITION,
    excludes: CONDITION,
  }],
};

/** @throws {TypeError} That says which part is not what it should be. */
export function assertProfileShape(value: unknown): void {
  assertShape(value, PROFILE, "the profile");
}

function assertShape(value: unknown, shape: Shape, path: string): void {
  if (shape === "text") {
    if (typeof value !== "string") throw new TypeError(`${path} is no string`);
  } else if (shape === "number") {
    const isWhole = typeof value === "bigint" || Number.isSafeInteger(value);
    if (!isWhole || (value as number | bigint) < 0) throw new TypeError(`${path} is no number`);
  } else if (isList(shape)) {
    if (!Array.isArray(value)) throw new TypeError(`${path} is no list`);
    for (const [i, item] of value.entries()) assertShape(item, shape[0], `${path}[${i}]`);
  } else assertFields(value, shape, path);
}

function assertFields(value: unknown, shape: { readonly [field: string]: Shape }, path: string) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${path} is no object`);
  }
  for (const [field, inner] of Object.entries(shape)) {
    const found = (value as Record<string, unknown>)[field];
    if (found !== undefined) assertShape(found, inner, `${path}.${field}`);
  }
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}
