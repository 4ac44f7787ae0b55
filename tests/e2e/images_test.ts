// The image commands as a user meets them: through ./dhow, with a store of their own.
import { assertEquals, assertMatch } from "@std/assert";
import { archive, member, type MemberValues } from "../helpers/tar.ts";
import { removeStore } from "../helpers/store.ts";

const launcher = new URL("../../dhow", import.meta.url).pathname;

interface Result {
  code: number;
  out: string;
  err: string;
}

/** A store in a temporary directory, and files beside it. */
class Workplace implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "dhow-images-" });
  readonly root = `${this.path}/store`;

  command(args: string[]): Deno.Command {
    return new Deno.Command(launcher, {
      args: ["--root", this.root, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async dhow(...args: string[]): Promise<Result> {
    const { code, stdout, stderr } = await this.command(args).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout).trim(), err: decoder.decode(stderr).trim() };
  }

  async file(name: string, bytes: Uint8Array): Promise<string> {
    await Deno.writeFile(`${this.path}/${name}`, bytes);
    return `${this.path}/${name}`;
  }

  /** Every path of the store that is no lock. */
  async files(): Promise<string[]> {
    const { stdout } = await new Deno.Command("find", {
      args: [this.root, "-not", "-type", "d", "-not", "-name", "*.lock", "-printf", "%P\\n"],
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeStore(this.root);
    await Deno.remove(this.path, { recursive: true });
  }
}

const rootOwned: MemberValues = { uid: 0, gid: 0 };

function rootfs(content = "hello"): Uint8Array<ArrayBuffer> {
  return archive(
    member("directory", "etc", rootOwned),
    member("file", "etc/greeting", { ...rootOwned, content }),
    member("file", "etc/mail", { uid: 8, gid: 12, mode: 0o4750, content: "m" }),
    member("char", "null", { ...rootOwned, major: 1, minor: 3 }),
  );
}

Deno.test("import, images, tag, inspect and rmi work together", async () => {
  await using place = new Workplace();
  const tar = await place.file("rootfs.tar", rootfs());
  const imported = await place.dhow("import", "-c", 'CMD ["/bin/x"]', tar, "app");
  assertEquals(imported.err, "");
  assertMatch(imported.out, /^sha256:[0-9a-f]{64}$/);
  const short = imported.out.slice(7, 19);
  assertEquals((await place.dhow("tag", "app", "localhost:5000/other:v1")).code, 0);
  const format = "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}";
  assertEquals(
    (await place.dhow("images", "--format", format)).out,
    `app:latest ${short} 6B\nlocalhost:5000/other:v1 ${short} 6B`,
  );
  const command = await place.dhow("image", "inspect", "-f", "{{json .Config.Cmd}}", short);
  assertEquals(command.out, '["/bin/x"]');
  const upper = await place.dhow("image", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", short);
  assertEquals(await Deno.readTextFile(`${upper.out}/etc/greeting`), "hello");
  const mail = await Deno.stat(`${upper.out}/etc/mail`);
  assertEquals(mail.mode! & 0o7777, 0o4750);
  assertEquals((await place.dhow("rmi", "app")).out, "Untagged: app:latest");
  const removed = await place.dhow("rmi", "localhost:5000/other:v1");
  assertMatch(removed.out, /^Untagged: localhost:5000\/other:v1\nDeleted: sha256:.*\nDeleted: /);
  assertEquals((await place.files()).filter((path) => /^(blobs|layers|tmp)\//.test(path)), []);
});

Deno.test("import reads stdin; bad input leaves nothing behind", async () => {
  await using place = new Workplace();
  const child = new Deno.Command(launcher, {
    args: ["--root", place.root, "import", "-", "piped"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(rootfs());
  await writer.close();
  assertEquals((await child.output()).code, 0);
  const escape = await place.file("bad.tar", archive(member("file", "../../x", rootOwned)));
  const bad = await place.dhow("import", escape, "bad");
  assertEquals(bad.code, 1);
  assertEquals(bad.err, 'Cannot unpack "../../x": it leads out of the root file system');
  const missing = await place.dhow("import", "/nonexistent", "bad");
  assertEquals([missing.code, missing.err], [1, "open /nonexistent: no such file or directory"]);
  assertEquals((await place.dhow("images", "-q")).out.split("\n").length, 1);
  const strange = await place.file("strange.tar", archive(member("file", "f", { uid: 4e9 - 5 })));
  if (Deno.uid() !== 0) {
    const error = (await place.dhow("import", strange)).err;
    assertMatch(error, /owner 3999999995:\d+ has no place in the user namespace/);
  }
  const left = (await place.files()).filter((path) => path.includes(".tmp-"));
  assertEquals(left, []);
});

Deno.test("imports at the same time all succeed, and kill -9 of some harms nobody", async () => {
  await using place = new Workplace();
  const large = await place.file("large.tar", rootfs("x".repeat(20_000_000)));
  const running = Array.from({ length: 6 }, (_, i) => {
    const child = place.command(["import", large, `app:${i}`]).spawn();
    const isVictim = i % 2 === 1;
    if (isVictim) setTimeout(() => child.kill("SIGKILL"), 60 + 40 * i);
    return child.output().then(({ code }) => ({ code, isVictim }));
  });
  for (const { code, isVictim } of await Promise.all(running)) {
    if (!isVictim) assertEquals(code, 0);
  }
  const names = (await place.dhow("images", "--format", "{{.Tag}}")).out.split("\n");
  for (const name of ["0", "2", "4"]) assertEquals(names.includes(name), true);
  for (const name of names) {
    const shown = await place.dhow("image", "inspect", "-f", "{{.Size}}", `app:${name}`);
    assertEquals(shown.out, "20000001");
  }
  const removed = await place.dhow("rmi", "-f", ...names.map((name) => `app:${name}`));
  assertEquals(removed.code, 0);
  assertEquals((await place.files()).filter((path) => /^(blobs|layers|tmp)\//.test(path)), []);
});

Deno.test("a store on a read-only file system can be read, and says why it cannot be written", async () => {
  if (Deno.uid() !== 0) return; // Only root can mount one.
  await using place = new Workplace();
  const tar = await place.file("rootfs.tar", rootfs());
  await place.dhow("import", tar, "app");
  const mount = (...args: string[]) => new Deno.Command("mount", { args }).output();
  await mount("--bind", place.root, place.root);
  await mount("-o", "remount,bind,ro", place.root);
  try {
    assertEquals((await place.dhow("images", "--format", "{{.Repository}}")).out, "app");
    const refused = await place.dhow("tag", "app", "other");
    assertEquals(refused.code, 1);
    assertMatch(refused.err, /^Cannot write the image index ".*": the file system is read-only$/);
    assertMatch((await place.dhow("import", tar, "b")).err, /the file system is read-only$/);
  } finally {
    await new Deno.Command("umount", { args: [place.root] }).output();
  }
});
