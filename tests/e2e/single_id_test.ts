/**
 * Machines that give their users no subordinate ids.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { containerTest, eventually, type Sandbox } from "../helpers/sandbox.ts";

/** Files as a layer has them: `MODE UID:GID PATH`, of those that are not root's. */
async function foreign(box: Sandbox, image: string): Promise<string[]> {
  await box.ok("save", "-o", `${box.directory}/image.tar`, image);
  const directory = await Deno.makeTempDir({ dir: box.directory });
  const tar = async (...args: string[]) => {
    const { stdout } = await new Deno.Command("tar", { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  };
  await tar("xf", `${box.directory}/image.tar`, "-C", directory);
  const [{ Layers }] = JSON.parse(await Deno.readTextFile(`${directory}/manifest.json`));
  const lines: string[] = [];
  for (const layer of Layers) {
    const listing = await tar("--numeric-owner", "-tvf", `${directory}/${layer}`);
    for (const line of listing.split("\n")) {
      const [mode, owner, , , , ...name] = line.split(/\s+/);
      if (owner !== undefined && owner !== "0/0") lines.push(`${mode} ${owner} ${name.join(" ")}`);
    }
  }
  return lines.sort();
}

function singleTest(name: string, fn: (box: Sandbox) => Promise<void>): void {
  containerTest(name, fn, { env: { DHOW_IDS: "single" } });
}

async function importForeign(box: Sandbox): Promise<void> {
  const script =
    'mkdir -p bin home/u tmp && cp "$1" bin/busybox && for a in sh id cat chown ls touch ln cp stat; ' +
    "do ln -s busybox bin/$a; done && echo secret > home/u/f && chmod 4755 bin/busybox && ln -s f home/u/l && mkfifo home/u/p && " +
    "tar --numeric-owner --owner=0 --group=0 -cf base.tar bin tmp && " +
    "tar --numeric-owner --owner=1234 --group=56 -rf base.tar home/u";
  const busybox = Deno.env.get("BUSYBOX") ?? "/usr/bin/busybox";
  const cwd = await Deno.makeTempDir({ dir: box.directory });
  const { success } = await new Deno.Command("sh", { args: ["-c", script, "sh", busybox], cwd })
    .output();
  assertEquals(success, true);
  await box.ok("import", "-c", 'CMD ["sh"]', `${cwd}/base.tar`, "base");
}

const OWNED = [
  "-rw-r--r-- 1234/56 home/u/f",
  "drwxr-xr-x 1234/56 home/u/",
  "lrwxrwxrwx 1234/56 home/u/l -> f",
  "prw-r--r-- 1234/56 home/u/p",
];

singleTest("owners of an image survive unpacking, commit and build with one id", async (box) => {
  await importForeign(box);
  assertEquals(await foreign(box, "base"), [...OWNED].sort());
  const script = "id -u; echo more >> /home/u/f; chown 7:8 /tmp && touch /tmp/x";
  const flags = ["--name", "one", "--network", "none", "--user", "1000:1000"];
  assertEquals(await box.ok("run", ...flags, "base", "sh", "-c", script), "0");
  await box.ok("commit", "one", "two");
  // What was changed is still the owner's, in the new layer too; and so is what the container has given away.
  const given2 = (await foreign(box, "two")).filter((line) => !OWNED.slice(1).includes(line));
  assertEquals(given2, [OWNED[0]!, OWNED[0]!, "drwxr-xr-x 7/8 tmp/"]);
  await Deno.mkdir(`${box.directory}/context`);
  await Deno.writeTextFile(`${box.directory}/context/given`, "x");
  const dockerfile = [
    "FROM base AS first",
    "COPY --chown=11:12 given /given",
    "RUN chown 5:5 /given && cat /given > /made",
    "FROM base",
    "COPY --from=first /given /again",
  ].join("\n");
  await Deno.writeTextFile(`${box.directory}/context/Dockerfile`, dockerfile);
  await box.ok("build", "-q", "--network", "none", "-t", "built", `${box.directory}/context`);
  const lines = await foreign(box, "built");
  assertEquals(lines, [...OWNED].sort());
  await box.ok(
    "build",
    "-q",
    "--network",
    "none",
    "--target",
    "first",
    "-t",
    "stage",
    `${box.directory}/context`,
  );
  const given = (await foreign(box, "stage")).filter((line) => line.endsWith(" given"));
  assertEquals(given, ["-rw-r--r-- 11/12 given", "-rw-r--r-- 5/5 given"]);
  await box.ok("rm", "one");
});

singleTest("chown answers as it would, whatever it is asked", async (box) => {
  const script = `mkdir /d /d/e; echo x > /d/f; ln -s f /d/l; cd /d
    chown 1:2 f && chown 3 l && chown -h 4:4 l && chown :5 e/../e && chown 6:6 ./e/.. || echo wrong
    chown 1 missing 2>&1; chown 1 f/x 2>&1; chown 1 $(head -c 5000 /dev/zero | tr '\\0' x) 2>&1 | tail -c 19
    for i in $(seq 300); do chown $i f; done; chown -R 70000:70001 /d
    mkfifo p q; ln -s p m; ln -s f /n; chown 8:9 p m; chown -h 10:11 ./l /n; chown -h 12 /d/e/../m; chown -h 0:0 /n`;
  const said = await box.runs("--name", "one", "busybox", "sh", "-c", script);
  assertEquals(said.split("\n"), [
    "chown: missing: No such file or directory",
    "chown: f/x: Not a directory",
    "File name too long",
  ]);
  await box.ok("commit", "one", "two");
  const lines = (await foreign(box, "two")).filter((line) => / d\//.test(line));
  assertEquals(lines, [
    "-rw-r--r-- 70000/70001 d/f",
    "drwxr-xr-x 70000/70001 d/",
    "drwxr-xr-x 70000/70001 d/e/",
    "lrwxrwxrwx 10/11 d/l -> f",
    "lrwxrwxrwx 12/0 d/m -> p",
    "prw-r--r-- 8/9 d/p",
  ]);
  await box.ok("rm", "one");
});

singleTest("owners given away by exec are kept, and who notes them goes with it", async (box) => {
  await box.runs("-d", "--name", "one", "busybox", "sleep", "1000");
  await box.ok("exec", "one", "sh", "-c", "mkdir /d; touch /d/f /d/g; chown 70000:5 /d/f");
  await box.ok("exec", "--privileged", "one", "chown", "6:7", "/d/g");
  const nothing = await box.dhow("exec", "one", "nothing");
  assertEquals(nothing.code, 127);
  await box.ok("exec", "-d", "one", "sh", "-c", "sleep 0.3; chown 8:9 /d; touch /done");
  await eventually("it is done", async () => {
    return (await box.dhow("exec", "one", "stat", "/done")).code === 0;
  });
  await eventually("nobody notes owners any more", () => {
    return box.processes().every((line) => !line.includes("dhow-owners"));
  });
  await box.ok("commit", "one", "two");
  const lines = (await foreign(box, "two")).filter((line) => / d\//.test(line));
  assertEquals(lines, ["-rw-r--r-- 6/7 d/g", "-rw-r--r-- 70000/5 d/f", "drwxr-xr-x 8/9 d/"]);
  await box.ok("rm", "-f", "one");
});

singleTest("with one id the mode is told, and so is the way out of it", async (box) => {
  assertMatch(await box.ok("info"), /User ids: one \(asked for by DHOW_IDS\)/);
  assertMatch(await box.ok("doctor"), /WARN {2}ids +one: asked for by DHOW_IDS -> /);
});
