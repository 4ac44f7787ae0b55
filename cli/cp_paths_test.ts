import { assertEquals, assertThrows } from "@std/assert";
import { copyBase, copyDirectory, planCopy, rebase, splitCopyArgument } from "./cp_paths.ts";

const directory = (path: string) => ({ path, exists: true, isDirectory: true });
const file = (path: string) => ({ path, exists: true, isDirectory: false });
const missing = (path: string) => ({ path, exists: false, isDirectory: false });

Deno.test("splitCopyArgument() tells containers from local paths", () => {
  assertEquals(splitCopyArgument("web:/etc"), { container: "web", path: "/etc" });
  for (const path of ["./a:b", "/a:b", "-", "plain", ":x"]) {
    assertEquals(splitCopyArgument(path), { container: "", path });
  }
});

Deno.test("planCopy() follows docker's table", () => {
  assertEquals(planCopy(file("/f"), directory("/d")), { directory: "/d" });
  assertEquals(planCopy(file("/f"), file("/d/g")), { directory: "/d", name: "g" });
  assertEquals(planCopy(file("/f"), missing("/d/g")), { directory: "/d", name: "g" });
  assertEquals(planCopy(directory("/s"), missing("/d/g/")), { directory: "/d", name: "g" });
  assertThrows(() => planCopy(directory("/s"), file("/f")), Error, "cannot copy directory");
  assertThrows(() => planCopy(file("/f"), missing("/d/")), Error, "no such directory");
  assertThrows(() => planCopy(file("/f"), file("/d/g/")), Error, "no such directory");
});

Deno.test("copyBase(), copyDirectory() and rebase()", () => {
  assertEquals([copyBase("/a/b/"), copyBase("/a/."), copyBase("/"), copyBase("x")], [
    "b",
    ".",
    "/",
    "x",
  ]);
  assertEquals([copyDirectory("/a/b/"), copyDirectory("/a"), copyDirectory("x")], ["/a", "/", "."]);
  assertEquals(rebase("a", "a", "b"), "b");
  assertEquals(rebase("a/c/d", "a", "b"), "b/c/d");
  assertEquals(rebase("./c", ".", "b"), "b/c");
  assertEquals(rebase("a/c", "a", undefined), "a/c");
});
