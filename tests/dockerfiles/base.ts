/**
 * The image that the Dockerfiles here build upon: busybox, a few users, and a few files to change and to remove.
 *
 * @module
 */
import { busyboxTar } from "../helpers/busybox.ts";
import { archive, join, member } from "../helpers/tar.ts";

const PASSWD = [
  "root:x:0:0:root:/root:/bin/sh",
  "daemon:x:1:1:daemon:/usr/sbin:/bin/false",
  "app:x:1000:1000:app:/home/app:/bin/sh",
  "bob:x:1001:1002:bob:/home/bob:/bin/sh",
  "member:x:1003:1000:member:/:/bin/sh",
];
const GROUP = ["root:x:0:", "daemon:x:1:", "staff:x:50:member", "app:x:1000:", "bob:x:1002:"];

/** What its configuration says. */
export const BASE_ENVIRONMENT = "PATH=/usr/local/bin:/usr/bin:/bin";

/** Its root file system. */
export async function baseTar(): Promise<Uint8Array<ArrayBuffer>> {
  const busybox = await busyboxTar();
  const root = { uid: 0, gid: 0 };
  const app = { uid: 1000, gid: 1000 };
  const lines = (text: string[]) => text.map((line) => `${line}\n`).join("");
  return join([
    withoutMembers(busybox, ["etc/passwd", "etc/group"]),
    archive(
      member("file", "etc/passwd", { ...root, content: lines(PASSWD) }),
      member("file", "etc/group", { ...root, content: lines(GROUP) }),
      member("directory", "home", root),
      member("directory", "home/app", { ...app, mode: 0o750 }),
      member("directory", "data", root),
      member("file", "data/a", { ...root, content: "base a\n" }),
      member("file", "data/b", { ...root, content: "base b\n", mode: 0o600 }),
      member("directory", "data/sub", root),
      member("file", "data/sub/c", { ...app, content: "base c\n" }),
      member("symlink", "link", { ...root, linkPath: "data", mode: 0o777 }),
    ),
  ]);
}

/** An archive without some of its files, and without its end. */
function withoutMembers(
  tar: Uint8Array<ArrayBuffer>,
  names: readonly string[],
): Uint8Array<ArrayBuffer> {
  const kept: Uint8Array<ArrayBuffer>[] = [];
  const field = (at: number, length: number) =>
    new TextDecoder().decode(tar.subarray(at, at + length)).replace(/\0.*$/s, "");
  for (let at = 0; tar[at] !== 0;) {
    const length = 512 + Math.ceil(parseInt(field(at + 124, 12), 8) / 512) * 512;
    if (!names.includes(field(at, 100))) kept.push(tar.subarray(at, at + length));
    at += length;
  }
  return join(kept);
}
