// The projects in examples/ build unchanged, and what was built does its work.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { debianObstacle, makeDebian } from "../helpers/debian.ts";
import { containerTest, eventually, type Sandbox } from "../helpers/sandbox.ts";

const folder = new URL("../../examples/", import.meta.url).pathname;
const TIMEOUT_MS = 400_000;
/** What this machine may need to reach packages. */
const PROXIES = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** One test, so that all projects share the base image and its cache. */
if (debianObstacle === undefined || Deno.env.get("DHOW_MUST_WORK") === "1") {
  containerTest("the projects in examples/ build and run", async (box) => {
    await makeDebian(box);
    for (const [name, check] of Object.entries(CHECKS)) {
      try {
        await build(box, name);
        await check(box);
      } catch (error) {
        throw new Error(`examples/${name}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
} else {
  Deno.test({
    name: `the projects in examples/ build and run (skipped: ${debianObstacle})`,
    ignore: true,
    fn() {},
  });
}

Deno.test("every project in examples/ with a Dockerfile is tested", async () => {
  const projects: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) continue;
    const isProject = await Deno.stat(`${folder}${name}/Dockerfile`).then(() => true, () => false);
    if (isProject) projects.push(name);
  }
  assertEquals(projects.sort(), Object.keys(CHECKS).sort());
});

async function build(box: Sandbox, name: string, ...flags: string[]): Promise<string> {
  // A name alone takes the environment's value, if there is one.
  const proxies = PROXIES.flatMap((variable) => ["--build-arg", variable]);
  const args = ["build", "--progress", "plain", "-t", name, ...proxies, ...flags, folder + name];
  const { code, err } = await box.run(args, { timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new Error(err);
  return err;
}

const CHECKS: Record<string, (box: Sandbox) => Promise<void>> = {
  async nginx(box) {
    assertEquals(await box.inspect("nginx", "{{json .Config.ExposedPorts}}"), '{"8080/tcp":{}}');
    await withServer(box, "nginx", 8080, async (get) => {
      assertEquals(await get("/health"), "fine\n");
      assertStringIncludes(await get("/"), "<h1>Served from a container without a daemon</h1>");
    });
  },
  async c(box) {
    assertEquals(await box.runs("--rm", "c"), "hello, world");
    assertEquals(await box.runs("--rm", "c", "you", "me"), "hello, you\nhello, me");
    const layers = await box.inspect("c", "{{json .RootFS.Layers}}");
    assertEquals(JSON.parse(layers).length, 1);
    // The same in TypeScript: the same layers, all from the cache.
    const log = await build(box, "c", "-t", "again", "-f", `${folder}c/build.ts`);
    assertEquals(await box.inspect("again", "{{json .RootFS.Layers}}"), layers);
    assertEquals(log.match(/^#\d+ DONE/gm)!.length, 2, log);
    assertEquals(log.match(/^#\d+ CACHED/gm)!.length, 6, log);
  },
  async node(box) {
    await withServer(box, "node", 3000, async (get) => {
      assertEquals(await get("/"), "a day has 86400000 milliseconds\n");
    });
    // The cache mount is none of the image's.
    const look = ["sh", "-c", "ls -A /root/.npm 2> /dev/null || true"];
    assertEquals(await box.runs("--rm", "-u", "0", "node", ...look), "");
    assertEquals(await box.runs("--rm", "node", "id", "-un"), "www-data");
  },
  async python(box) {
    await withServer(box, "python", 5000, async (get) => {
      assertEquals(JSON.parse(await get("/")), { user: "app", port: "of call" });
    });
    assertEquals(
      await box.runs("--rm", "python", "stat", "-c", "%U %G", "/home/app/app.py"),
      "app app",
    );
  },
  async deno(box) {
    await withServer(box, "deno", 8000, async (get) => {
      const { path, deno } = JSON.parse(await get("/harbour"));
      assertEquals(path, "/harbour");
      assertMatch(deno, /^2\./);
    });
  },
};

/** Runs an image with a published port. */
async function withServer(
  box: Sandbox,
  image: string,
  port: number,
  test: (get: (path: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const name = `${image}-server`;
  await box.ok("run", "-d", "--name", name, "-p", `127.0.0.1::${port}`, image);
  const address = (await box.ok("port", name, String(port))).split("\n")[0]!;
  const get = async (path: string) => {
    const response = await fetch(`http://${address}${path}`);
    return await response.text();
  };
  await eventually(`${image} answers`, () => get("/").then(() => true, () => false), 30_000);
  await test(get);
  await box.ok("rm", "-f", name);
}
