import { assertEquals } from "@std/assert";
import { pack } from "./pack.ts";
import type { TarEntry } from "./tar_entry.ts";
import { TarReader } from "./tar_reader.ts";
import { encodeTarEntry, TAR_END } from "./tar_writer.ts";

function read(pieces: Iterable<Uint8Array<ArrayBuffer>>): { entries: TarEntry[]; data: string } {
  const entries: TarEntry[] = [];
  let data = "";
  const reader = new TarReader({
    entry: (entry) => void entries.push(entry),
    data: (bytes) => void (data += new TextDecoder().decode(bytes)),
    endEntry: () => {},
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { entries, data };
}

Deno.test("encodeTarEntry() keeps what ustar has no room for", () => {
  const entry: TarEntry = {
    kind: "symlink",
    path: "ä/" + "x".repeat(200),
    linkPath: "y".repeat(300),
    mode: 0o4755,
    uid: 3_000_000,
    gid: 5,
    userName: "me",
    groupName: "",
    sizeBytes: 0,
    mtime: { seconds: -2, nanoseconds: 500_000_000 },
    major: 0,
    minor: 0,
    xattrs: new Map([["user.a", new Uint8Array([1, 0, 2])]]),
  };
  assertEquals(read([encodeTarEntry(entry), TAR_END]).entries, [entry]);
});

Deno.test("pack() packs a tree that GNU tar and our reader agree on", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/d/sub`, { recursive: true });
    await Deno.writeTextFile(`${dir}/d/a`, "hello\n");
    await Deno.link(`${dir}/d/a`, `${dir}/d/b`);
    await Deno.symlink("a", `${dir}/d/sub/l`);
    const pieces = [...pack({ path: `${dir}/d`, name: "top" })].map((piece) => piece.slice());
    const { entries, data } = read(pieces);
    assertEquals(
      entries.map(({ kind, path, linkPath }) => [kind, path, linkPath]),
      [
        ["directory", "top", ""],
        ["file", "top/a", ""],
        ["hardlink", "top/b", "top/a"],
        ["directory", "top/sub", ""],
        ["symlink", "top/sub/l", "a"],
      ],
    );
    assertEquals(data, "hello\n");
    await Deno.writeFile(`${dir}/t.tar`, new Uint8Array(await new Blob(pieces).arrayBuffer()));
    const { success, stdout } = await new Deno.Command("tar", { args: ["tf", `${dir}/t.tar`] })
      .output();
    assertEquals(success, true);
    assertEquals(new TextDecoder().decode(stdout), "top/\ntop/a\ntop/b\ntop/sub/\ntop/sub/l\n");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
