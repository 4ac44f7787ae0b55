import { assertThrows } from "@std/assert";
import { assertShape, type Shape } from "./shape.ts";

const shape: Shape = { a: "text", b: ["count"], c: { "*": "text" }, d: { e: "boolean" } };

Deno.test("assertShape() takes what fits, and null for nothing", () => {
  assertShape({ a: "x", b: [0, 1n], c: { any: "y", none: null }, d: null, z: [] }, shape, "it");
});

Deno.test("assertShape() says what does not fit", () => {
  const cases: [unknown, string][] = [
    [null, "it is no object"],
    [[], "it is no object"],
    [{ a: 1 }, "it.a is no string"],
    [{ b: {} }, "it.b is no list"],
    [{ b: [1, -1] }, "it.b[1] is no number"],
    [{ b: [null] }, "it.b[0] is no number"],
    [{ c: { "\x1b": 1 } }, "it.c.* is no string"],
    [{ d: { e: 0 } }, "it.d.e is no boolean"],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => assertShape(value, shape, "it"), TypeError, message);
  }
});
