import { assertEquals } from "@std/assert";
import { mayHaveDirectory } from "./image_directory.ts";

Deno.test("mayHaveDirectory() says no only where there is none, whatever links there are", () => {
  const root = Deno.makeTempDirSync();
  try {
    for (const path of ["1/a/b", "2/c/d", "2/a"]) {
      Deno.mkdirSync(`${root}/${path}`, { recursive: true });
    }
    Deno.symlinkSync("/nowhere", `${root}/2/link`);
    Deno.writeTextFileSync(`${root}/1/file`, "");
    const has = (path: string) => mayHaveDirectory([`${root}/1`, `${root}/2`], path);
    assertEquals(["/a/b", "/c/d", "/", "/link", "/link/x"].filter((path) => !has(path)), []);
    assertEquals(["/b", "/a/c", "/file", "/file/x", "/c/b"].filter(has), []);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
