// Every example runs and prints what is expected of it.
import { assertEquals, assertMatch } from "@std/assert";
import { startFaultyRegistry } from "./helpers/faulty_registry.ts";
import { digestOf, gzip } from "./helpers/layers.ts";
import { containerTest } from "./helpers/sandbox.ts";

const folder = new URL("../examples/", import.meta.url);

const EXPECTED: Record<string, RegExp> = {
  "build.ts": /^ahoy\nfrom dhow\ntrue 0\n$/,
  "exec.ts": /^harbour\n0 in \/ likes cod\n1 in \/tmp likes eel\nexit code 1\n$/,
  "logs.ts": /^tick 1\n(tick \d\n)+enough\n$/,
  "parallel.ts": /^1 4 9 16 25 36 49 64\n$/,
  "pull.ts":
    /^(Pulling fs layer\nVerifying Checksum\nDownload complete\nPull complete\n)127\.0\.0\.1:\d+\/box:latest is sha256:\.\.\.\nhi\nthe same went back\n1\n$/,
  "snapshot.ts": /^made by a script\n$/,
  "stdin.ts": /^anchor rope sail\n1000000 bytes came back\n$/,
};

Deno.test("every example is tested", () => {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const programs = names.filter((name) => name.endsWith(".ts")).sort();
  assertEquals(programs, Object.keys(EXPECTED));
});

for (const [name, expected] of Object.entries(EXPECTED)) {
  containerTest(`examples/${name} runs and leaves nothing`, async (box) => {
    await using registry = startFaultyRegistry();
    const tar = await Deno.readFile(`${box.directory}/busybox.tar`);
    await registry.addImage("box", "latest", [await gzip(tar)], {
      diffIds: [await digestOf(tar)],
      layerType: "application/vnd.oci.image.layer.v1.tar+gzip",
    });
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", new URL(name, folder).pathname],
      env: { ...box.env, REGISTRY: registry.host },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([code, text(stderr)], [0, ""]);
    assertMatch(text(stdout), expected);
    assertEquals(await box.ok("ps", "-aq"), "");
  });
}
