import { assertEquals, assertRejects } from "@std/assert";
import { SyscallError } from "../../ffi/errno.ts";
import { lgetxattr } from "../../ffi/xattr.ts";
import { DhowError } from "../errors.ts";
import { archive, member, seededRandom } from "../../tests/helpers/tar.ts";
import { unpackBlob, type UnpackBlobRequest } from "./unpack_blob.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const isRoot = Deno.uid() === 0;

/** A directory with `outside`, which no layer may reach, and room for `rootfs`. */
class Sandbox implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "dhow-unpack-" });
  readonly rootfs = `${this.path}/rootfs`;

  constructor() {
    Deno.mkdirSync(`${this.path}/outside`);
    Deno.writeTextFileSync(`${this.path}/outside/secret`, "untouched");
  }

  async unpack(tar: Bytes, options: Partial<UnpackBlobRequest> = {}) {
    const blob = `${this.path}/layer.tar`;
    await Deno.writeFile(blob, tar);
    return await unpackBlob({ blob, into: this.rootfs, ...options });
  }

  /** Everything outside the root file system, as it should always be. */
  async assertUntouched(): Promise<void> {
    const names = (await Array.fromAsync(Deno.readDir(`${this.path}/outside`))).map((e) => e.name);
    assertEquals(names, ["secret"]);
    assertEquals(await Deno.readTextFile(`${this.path}/outside/secret`), "untouched");
    const info = await Deno.stat(`${this.path}/outside/secret`);
    assertEquals(info.mode! & 0o7777, 0o644);
  }

  read(path: string): Promise<string> {
    return Deno.readTextFile(`${this.rootfs}/${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** An old kernel: openat2(2) is not there. */
const noOpenat2 = {
  openat2: () => {
    throw new SyscallError("openat2", 38);
  },
};

for (const [kernel, options] of [["", {}], [" without openat2", { openat2: noOpenat2 }]] as const) {
  Deno.test(`unpackBlob() keeps hostile layers inside the root${kernel}`, async (t) => {
    const up = "../".repeat(3);
    const hostile: [string, (box: Sandbox) => Bytes[], "refused" | "contained"][] = [
      ["a name with ..", () => [member("file", "../outside/x")], "refused"],
      ["a name with .. in the middle", () => [member("file", "a/../../outside/x")], "refused"],
      ["an absolute name", (box) => [member("file", `${box.path}/outside/secret`)], "contained"],
      ["a link that leads up, then through it", () => [
        member("symlink", "up", { linkPath: `${up}outside` }),
        member("file", "up/secret", { content: "changed" }),
      ], "refused"],
      ["an absolute link, then through it", (box) => [
        member("symlink", "abs", { linkPath: `${box.path}/outside` }),
        member("file", "abs/secret", { content: "changed" }),
      ], "refused"],
      ["a chain of links", (box) => [
        member("symlink", "one", { linkPath: box.path }),
        member("symlink", "two", { linkPath: "one/outside" }),
        member("file", "two/secret", { content: "changed" }),
      ], "refused"],
      ["a link in the place of a file, then the file", (box) => [
        member("symlink", "f", { linkPath: `${box.path}/outside/secret` }),
        member("file", "f", { content: "changed", mode: 0o777 }),
      ], "contained"],
      ["a link in the place of a directory, then the directory", (box) => [
        member("symlink", "d", { linkPath: `${box.path}/outside` }),
        member("directory", "d", { mode: 0o777 }),
        member("file", "d/secret", { content: "changed" }),
      ], "contained"],
      ["a directory, replaced by a link, then below it", (box) => [
        member("directory", "d"),
        member("file", "d/f"),
        member("symlink", "d", { linkPath: `${box.path}/outside` }),
        member("file", "d/secret", { content: "changed" }),
      ], "refused"],
      ["a hard link to outside by ..", () => [
        member("hardlink", "h", { linkPath: `${up}outside/secret` }),
      ], "refused"],
      ["a hard link to outside by an absolute name", (box) => [
        member("hardlink", "h", { linkPath: `${box.path}/outside/secret` }),
      ], "refused"],
      ["a hard link through a symbolic link", (box) => [
        member("symlink", "s", { linkPath: `${box.path}/outside` }),
        member("hardlink", "h", { linkPath: "s/secret" }),
        member("file", "h", { content: "changed" }),
      ], "refused"],
      ["a hard link to a symbolic link, then written to", (box) => [
        member("symlink", "s", { linkPath: `${box.path}/outside/secret` }),
        member("hardlink", "h", { linkPath: "s" }),
        member("file", "h", { content: "changed" }),
      ], "contained"],
      ["a whiteout of ..", () => [member("file", "a/.wh...")], "refused"],
      ["a whiteout through a link", (box) => [
        member("symlink", "s", { linkPath: `${box.path}/outside` }),
        member("file", "s/.wh.secret"),
      ], "refused"],
      ["a loop of links", () => [
        member("symlink", "a", { linkPath: "b" }),
        member("symlink", "b", { linkPath: "a" }),
        member("file", "a/f"),
      ], "refused"],
      ["the root as a file", () => [member("file", ".")], "refused"],
      ["the root as a link", () => [member("symlink", "/", { linkPath: "/etc" })], "refused"],
      ["a file below a file", () => [member("file", "f"), member("file", "f/g")], "refused"],
      ["a path beyond PATH_MAX", () => [member("file", "d/".repeat(3000) + "f")], "refused"],
      ["a name beyond NAME_MAX", () => [member("file", "n".repeat(300))], "refused"],
    ];
    for (const [name, members, outcome] of hostile) {
      await t.step(name, async () => {
        await using box = new Sandbox();
        const tar = archive(...members(box));
        if (outcome === "refused") {
          const error = await assertRejects(() => box.unpack(tar, options), DhowError);
          assertEquals((error as DhowError).code, "invalid_layer");
          await assertRejects(() => Deno.lstat(box.rootfs), Deno.errors.NotFound);
        } else await box.unpack(tar, options);
        await box.assertUntouched();
      });
    }
  });
}

Deno.test("unpackBlob() makes files, links, modes and times as the layer says", async () => {
  await using box = new Sandbox();
  const time = { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
  const summary = await box.unpack(archive(
    member("directory", ".", { mode: 0o700, mtime: time }),
    member("directory", "d", { mode: 0o2755, mtime: time }),
    member("file", "d/setuid", { content: "run", mode: 0o4755, mtime: time }),
    member("symlink", "d/link", { linkPath: "../nowhere" }),
    member("hardlink", "d/hard", { linkPath: "d/setuid" }),
    member("fifo", "d/pipe", { mode: 0o622 }),
    member("file", "implied/by/this", { content: "x" }),
    member("file", "grün \udcff", { content: "name" }),
  ));
  assertEquals(summary.entries, 8);
  assertEquals(summary.sizeBytes, 3 + 10 + 1 + 4);
  assertEquals(summary.impliedDirectories, ["implied", "implied/by"]);
  const mode = async (path: string) => (await Deno.lstat(`${box.rootfs}/${path}`)).mode! & 0o7777;
  assertEquals(await mode("."), 0o700);
  assertEquals(await mode("d"), 0o2755);
  assertEquals(await mode("d/setuid"), 0o4755);
  assertEquals(await mode("d/pipe"), 0o622);
  assertEquals(await mode("implied/by"), 0o755);
  assertEquals(await Deno.readLink(`${box.rootfs}/d/link`), "../nowhere");
  assertEquals((await Deno.stat(`${box.rootfs}/d/hard`)).nlink, 2);
  for (const path of [".", "d", "d/setuid"]) {
    const { mtime } = await Deno.stat(`${box.rootfs}/${path}`);
    assertEquals(mtime!.getTime(), 1_234_567_890_123, path);
  }
});

Deno.test("unpackBlob() lets a later member replace an earlier one", async () => {
  await using box = new Sandbox();
  await box.unpack(archive(
    member("file", "twice", { content: "one" }),
    member("file", "twice", { content: "two" }),
    member("directory", "d"),
    member("file", "d/in", { content: "in" }),
    member("file", "d", { content: "no directory any more" }),
    member("file", "f", { content: "file" }),
    member("directory", "f", { mode: 0o700 }),
    member("file", "f/in", { content: "in f" }),
    member("directory", "kept"),
    member("file", "kept/x", { content: "x" }),
    member("directory", "kept", { mode: 0o711 }),
    member("symlink", "lib", { linkPath: "usr/lib" }),
    member("directory", "usr/lib"),
    member("file", "lib/through", { content: "through" }),
  ));
  assertEquals(await box.read("twice"), "two");
  assertEquals(await box.read("d"), "no directory any more");
  assertEquals(await box.read("f/in"), "in f");
  assertEquals(await box.read("kept/x"), "x");
  assertEquals((await Deno.stat(`${box.rootfs}/kept`)).mode! & 0o7777, 0o711);
  assertEquals(await box.read("usr/lib/through"), "through");
});

Deno.test("unpackBlob() turns whiteouts into overlayfs's form", async () => {
  await using box = new Sandbox();
  await box.unpack(archive(
    member("directory", "d"),
    member("file", "d/.wh.gone"),
    member("file", "d/.wh..wh..opq"),
    member("file", "d/.wh..wh.plnk"),
    member("file", "mine", { content: "mine" }),
    member("file", ".wh.mine"),
    member("file", ".wh.again"),
    member("directory", "again"),
  ));
  const gone = await Deno.lstat(`${box.rootfs}/d/gone`);
  assertEquals([gone.isCharDevice, gone.rdev], [true, 0]);
  const opaque = (path: string) => lgetxattr(`${box.rootfs}/${path}`, "user.overlay.opaque");
  assertEquals(opaque("d"), new Uint8Array([121]));
  assertEquals(opaque("again"), new Uint8Array([121]));
  assertEquals(await box.read("mine"), "mine");
  const names = (await Array.fromAsync(Deno.readDir(`${box.rootfs}/d`))).map((e) => e.name);
  assertEquals(names, ["gone"]);
});

Deno.test("unpackBlob() keeps attributes of the image and drops those for the host", async () => {
  await using box = new Sandbox();
  const value = new TextEncoder().encode("v");
  const capability = Uint8Array.fromHex("0100000200200000000000000000000000000000");
  const xattrs = new Map([
    ["user.mine", value],
    ["user.overlay.redirect", value],
    ["trusted.overlay.opaque", value],
    ["security.selinux", value],
    ...(isRoot ? [["security.capability", capability] as const] : []),
  ]);
  await box.unpack(archive(member("file", "f", { xattrs }), member("directory", "d", { xattrs })));
  const { llistxattr } = await import("../../ffi/xattr.ts");
  const kept = isRoot ? ["security.capability", "user.mine"] : ["user.mine"];
  assertEquals(llistxattr(`${box.rootfs}/f`).sort(), kept);
  assertEquals(llistxattr(`${box.rootfs}/d`).sort(), kept);
  if (isRoot) assertEquals(lgetxattr(`${box.rootfs}/f`, "security.capability"), capability);
});

Deno.test("unpackBlob() writes sparse files with their holes", async () => {
  await using box = new Sandbox();
  const source = `${box.path}/holes`;
  await new Deno.Command("sh", {
    args: ["-c", "truncate -s 50M holes && printf end | dd of=holes bs=1 seek=20M conv=notrunc"],
    cwd: box.path,
    stderr: "null",
  }).output();
  const tar = await new Deno.Command("tar", {
    args: ["-C", box.path, "--format=pax", "-S", "-cf", "-", "holes"],
    stderr: "null",
  }).output();
  if (!tar.success) return;
  await box.unpack(tar.stdout as Bytes, {});
  const info = await Deno.stat(`${box.rootfs}/holes`);
  assertEquals(info.size, 50 << 20);
  assertEquals(info.blocks! * 512 < 1 << 20, true);
  assertEquals(await Deno.readFile(`${box.rootfs}/holes`), await Deno.readFile(source));
});

Deno.test("unpackBlob() refuses a layer that is not the one the image names", async () => {
  await using box = new Sandbox();
  const diffId = `sha256:${"0".repeat(64)}`;
  const tar = archive(member("file", "f"));
  const error = await assertRejects(() => box.unpack(tar, { diffId }), DhowError);
  assertEquals((error as DhowError).code, "digest_mismatch");
  await assertRejects(() => Deno.lstat(box.rootfs), Deno.errors.NotFound);
});

Deno.test("unpackBlob() leaves nothing of a layer that is cut short", async () => {
  await using box = new Sandbox();
  const tar = archive(
    member("directory", "d"),
    member("file", "d/f", { content: "x".repeat(9000) }),
  );
  const error = await assertRejects(() => box.unpack(tar.slice(0, 3000)), DhowError);
  assertEquals((error as DhowError).code, "invalid_layer");
  await assertRejects(() => Deno.lstat(box.rootfs), Deno.errors.NotFound);
});

Deno.test("unpackBlob() leaks no descriptor", async () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const tar = archive(
    member("directory", "a"),
    member("file", "a/f", { content: "x" }),
    member("hardlink", "b/h", { linkPath: "a/f" }),
    member("file", "../x"),
  );
  await using warm = new Sandbox();
  await assertRejects(() => warm.unpack(tar));
  const before = count();
  for (let i = 0; i < 20; i++) {
    await using box = new Sandbox();
    await assertRejects(() => box.unpack(tar));
  }
  assertEquals(count(), before);
});

Deno.test("unpackBlob() keeps any sequence of members inside the root", async () => {
  const random = seededRandom(7);
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
  for (let round = 0; round < 150; round++) {
    await using box = new Sandbox();
    const names = [
      "a",
      "b",
      "a/b",
      "b/a",
      "a/b/c",
      "/a",
      "../outside/x",
      ".wh.a",
      "a/.wh..wh..opq",
    ];
    const targets = ["a", "..", `${box.path}/outside`, "../../outside/secret", "b", "/", "a/b"];
    const members = Array.from({ length: 12 }, () => {
      const kind = pick(["file", "directory", "symlink", "hardlink", "symlink"] as const);
      return member(kind, pick(names), {
        linkPath: kind.endsWith("link") ? pick(targets) : "",
        ...(kind === "file" && { content: "changed" }),
      });
    });
    try {
      await box.unpack(archive(...members), round % 2 === 0 ? {} : { openat2: noOpenat2 });
    } catch (error) {
      if (!(error instanceof DhowError && error.code === "invalid_layer")) throw error;
    }
    await box.assertUntouched();
  }
});
