import { assertEquals } from "@std/assert";
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat } from "../../ffi/file.ts";
import { copyTree } from "./copy_tree.ts";

Deno.test("copyTree() copies kinds, modes and times, and follows no link", () => {
  const root = Deno.makeTempDirSync();
  const [from, to] = [`${root}/from`, `${root}/to`];
  try {
    Deno.mkdirSync(`${from}/sub/empty`, { recursive: true });
    Deno.mkdirSync(to);
    Deno.writeFileSync(`${from}/big`, new Uint8Array(3_000_000).fill(7));
    Deno.writeTextFileSync(`${from}/sub/a b\n`, "text");
    Deno.chmodSync(`${from}/sub/a b\n`, 0o751);
    Deno.symlinkSync("/etc/passwd", `${from}/link`);
    Deno.utimeSync(`${from}/big`, 1000, 2000);
    Deno.chmodSync(`${from}/sub/empty`, 0o500);
    Deno.chmodSync(from, 0o1755);
    const fds = [from, to].map((path) => openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
    copyTree(fds[0]!, fds[1]!);
    for (const fd of fds) close(fd);
    assertEquals([...Deno.readDirSync(to)].map((entry) => entry.name).sort(), [
      "big",
      "link",
      "sub",
    ]);
    assertEquals(Deno.readFileSync(`${to}/big`).every((byte) => byte === 7), true);
    assertEquals(Deno.statSync(`${to}/big`).mtime?.getTime(), 2_000_000);
    assertEquals(Deno.readTextFileSync(`${to}/sub/a b\n`), "text");
    assertEquals(Deno.readLinkSync(`${to}/link`), "/etc/passwd");
    const mode = (path: string) => Deno.statSync(`${to}/${path}`).mode! & 0o7777;
    assertEquals([mode("sub/a b\n"), mode("sub/empty"), mode(".")], [0o751, 0o500, 0o1755]);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
