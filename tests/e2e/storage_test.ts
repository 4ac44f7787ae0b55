/**
 * Each way a container can get its root does the same, with many layers too; and a home that cannot hold layers is found
 * out.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { layeredArchive } from "../helpers/layered_archive.ts";
import { containerTest, eventually, Sandbox } from "../helpers/sandbox.ts";
import { hasProgram } from "../helpers/tar.ts";

const CHANGE = [
  "echo hi > /a",
  "chown 1:2 /a",
  "rm /bin/ls",
  "mkdir -p /tmp/q/w",
  "echo x > /bin/added",
  "ln /bin/added /tmp/hard",
].join("; ");

const CHANGED = ["A /a", "C /bin", "A /bin/added", "D /bin/ls", "C /tmp", "A /tmp/hard"]
  .concat(["A /tmp/q", "A /tmp/q/w"]).join("\n");

for (const driver of ["overlay", "fuse-overlayfs", "copy"]) {
  containerTest(
    `storage driver ${driver}: run, diff, cp, commit, export, exec, rm`,
    async (box) => {
      if (driver === "fuse-overlayfs" && !hasFuse()) return;
      const env = { DHOW_STORAGE_DRIVER: driver };
      const dhow = async (...args: string[]) => {
        const { code, out, err } = await box.run(args, { env });
        assertEquals([code, err], [0, ""], args.join(" "));
        return out;
      };
      await dhow("run", "--name", "one", "--network", "none", "busybox", "sh", "-c", CHANGE);
      assertEquals(await dhow("diff", "one"), CHANGED);
      const name = { overlay: "overlay2", copy: "vfs" }[driver] ?? driver;
      assertEquals(
        await box.inspect("one", "{{.Driver}} {{.GraphDriver.Name}}"),
        `${name} ${name}`,
      );
      assertMatch(await dhow("info"), new RegExp(`Storage Driver: ${name}`));
      await Deno.writeTextFile(`${box.directory}/in`, "from outside");
      await dhow("cp", `${box.directory}/in`, "one:/in");
      await dhow("cp", "one:/a", `${box.directory}/a`);
      assertEquals(await Deno.readTextFile(`${box.directory}/a`), "hi\n");
      await dhow("commit", "one", "two");
      const show =
        "cat /a /in; stat -c '%u:%g' /a; stat -c %h /bin/added; test -e /bin/ls || echo gone";
      // Through the kernel's overlay: fuse-overlayfs does not count the links of lower layers.
      const shown = await box.runs("--rm", "two", "sh", "-c", show);
      assertEquals(shown, "hi\nfrom outside1:2\n2\ngone");
      await dhow("run", "-d", "--name", "live", "--network", "none", "two", "sleep", "1000");
      await dhow("exec", "live", "touch", "/live");
      assertEquals(await dhow("diff", "live"), "A /live");
      await dhow("export", "-o", `${box.directory}/x.tar`, "live");
      assertStringIncludes(await tarList(`${box.directory}/x.tar`), "\nlive\n");
      await dhow("rm", "-f", "live", "one");
      await eventually("fuse-overlayfs has ended", () => box.processes().length === 0);
    },
  );
}

containerTest("images of 120 and 300 layers run", async (box) => {
  for (const count of [120, 300]) {
    const path = `${box.directory}/${count}.tar`;
    await Deno.writeFile(path, await layeredArchive(`many:${count}`, count, box.directory));
    await box.ok("load", "-i", path);
    const out = await box.runs("--rm", `many:${count}`, "sh", "-c", "ls /layers | wc -l; cat /top");
    assertEquals(out, `${count}\n${count - 1}`);
  }
});

containerTest(
  "a file system without attributes: the store moves, and says so once",
  async (box) => {
    if (!hasFuse() || !await hasProgram("bindfs") && Deno.env.get("DHOW_MUST_WORK") !== "1") return;
    const [back, front] = [`${box.directory}/back`, `${box.directory}/front`];
    for (const path of [back, front]) await Deno.mkdir(path);
    const root = Deno.uid() === 0;
    const mounted = await new Deno.Command("bindfs", {
      args: ["--xattr-none", ...root ? ["-o", "allow_other"] : ["--no-allow-other"], back, front],
    }).output();
    assertEquals(mounted.success, true);
    const fallback = `${box.directory}/fallback`;
    const env = { DHOW_ROOT: `${front}/store`, DHOW_FALLBACK_ROOT: fallback };
    try {
      const tar = `${box.directory}/busybox.tar`;
      const first = await box.run(["import", tar, "busybox"], { env });
      assertEquals(first.code, 0, first.err);
      assertMatch(
        first.err,
        /cannot hold layers \(.*\); images and containers are kept in ".*\/fallback"/,
      );
      const run = ["run", "--rm", "--network", "none", "busybox", "echo", "hi"];
      const second = await box.run(run, { env: { ...env, DHOW_FALLBACK_ROOT: "" } });
      assertEquals(second, { code: 0, out: "hi", err: "" });
      await using moved = new MovedStore(box, fallback);
      assertEquals(await moved.images(), "busybox:latest");
    } finally {
      await new Deno.Command("fusermount3", { args: ["-u", front] }).output();
    }
  },
);

/** The store in its new place, removed at the end. */
class MovedStore implements AsyncDisposable {
  readonly #box: Sandbox;
  readonly #root: string;

  constructor(box: Sandbox, root: string) {
    this.#box = box;
    this.#root = root;
  }

  images(): Promise<string> {
    return this.#box.ok("--root", this.#root, "images", "--format", "{{.Repository}}:{{.Tag}}");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#box.ok("--root", this.#root, "system", "prune", "-af", "--volumes");
  }
}

/** Whether the kernel offers FUSE to this user: no package can bring that. */
function hasFuse(): boolean {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return true;
  } catch {
    return false;
  }
}

async function tarList(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("tar", { args: ["tf", path] }).output();
  return `\n${new TextDecoder().decode(stdout)}`;
}
