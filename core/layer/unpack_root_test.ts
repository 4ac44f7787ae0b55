// What only root can see: owners, devices, whole systems beside GNU tar, and a disk that fills up.
import { assertEquals, assertRejects } from "@std/assert";
import { llistxattr } from "../../ffi/xattr.ts";
import { DhowError } from "../errors.ts";
import { archive, member } from "../../tests/helpers/tar.ts";
import { unpackBlob } from "./unpack_blob.ts";

const ignore = Deno.uid() !== 0;

async function sh(script: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("sh", { args: ["-ec", script] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test({ name: "unpackBlob() unpacks a system exactly as GNU tar does", ignore }, async () => {
  const directory = await Deno.makeTempDir({ prefix: "dhow-tar-" });
  try {
    // The host's own files stand in for an image, and a few that are rare.
    await sh(`
      cd ${directory}; mkdir odd; cd odd
      mknod null c 1 3; mknod disk b 259 300; mkfifo fifo; chown 1234:4321 fifo
      touch -d '1969-12-31 23:59:58.5 UTC' old; chmod 6755 old; chown 100:200 old
      ln -s target link; chown -h 12:34 link; touch -h -d 2001-02-03 link
      mkdir -m 3777 sticky; touch sticky/in; touch -d 1999-09-09 sticky
      printf x > "$(printf 'latin-\\344\\n')"
      truncate -s 5M sparse; printf x >> sparse
      setfattr -n user.note -v hello old 2>/dev/null || true
      cp old cap; setcap cap_net_raw+ep cap 2>/dev/null || true
      tar --xattrs --xattrs-include='*' --format=pax -S -cf ../system.tar -C ${directory} odd -C / etc bin --no-recursion var var/lib --recursion var/lib/dpkg --no-recursion usr --recursion usr/sbin`);
    await unpackBlob({ blob: `${directory}/system.tar`, into: `${directory}/dhow` });
    await sh(`mkdir ${directory}/tar; cd ${directory}/tar;
      tar --xattrs --xattrs-include='*' --numeric-owner -xpf ../system.tar`);
    const listing = (tree: string) =>
      sh(
        `cd ${directory}/${tree}; find . -mindepth 1 -printf '%P %y %m %U %G %s %T@ %l %n\\n' | sort`,
      );
    const [mine, theirs] = [await listing("dhow"), await listing("tar")].map((text) =>
      text.split("\n")
    ) as [string[], string[]];
    assertEquals(mine.length > 500, true);
    assertEquals(mine.filter((line) => !theirs.includes(line)), []);
    assertEquals(mine.length, theirs.length);
    const sums = (tree: string) =>
      sh(`cd ${directory}/${tree}; find . -type f -print0 | sort -z | xargs -0 sha256sum`);
    assertEquals(await sums("dhow"), await sums("tar"));
    for (const path of ["odd/old", "odd/cap"]) {
      assertEquals(llistxattr(`${directory}/dhow/${path}`), llistxattr(`${directory}/tar/${path}`));
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test({ name: "unpackBlob() leaves nothing on a disk that is full", ignore }, async () => {
  const directory = await Deno.makeTempDir({ prefix: "dhow-full-" });
  await sh(`mount -t tmpfs -o size=1m tmpfs ${directory}`);
  try {
    const blob = await Deno.makeTempFile();
    await Deno.writeFile(
      blob,
      archive(
        member("file", "small", { content: "x" }),
        member("file", "d/large", { content: "x".repeat(3 << 20) }),
      ),
    );
    const into = `${directory}/layer`;
    const error = await assertRejects(() => unpackBlob({ blob, into }), DhowError) as DhowError;
    await Deno.remove(blob);
    assertEquals(error.code, "no_space");
    assertEquals(error.message.includes(`(file system mounted at "${directory}")`), true);
    assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
  } finally {
    await sh(`umount ${directory}; rmdir ${directory}`);
  }
});
