/**
 * `dhow setup`'s last step: dist/dhow.js, `run` and `exec` in one file, which takes less time to load than a hundred. The
 * launcher uses it for them as long as no source is newer; the other commands are as fast from the sources.
 *
 * What the sources load lazily (core/lib/lazy.ts) is in the same file, evaluated when it is asked for, but for what is
 * seldom needed.
 *
 * @module
 */
const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
const SOURCES = ["cli", "core", "ffi"];

/** The commands in it: those that the launcher takes it for. */
const COMMANDS: ReadonlySet<string> = new Set([
  "/cli/commands/container/run.ts",
  "/cli/commands/container/exec.ts",
]);

/** What these ask of the engine: of the parts that it loads lazily, all others would only take time to load. */
const ENGINE_PARTS: ReadonlySet<string> = new Set([
  "/core/container/attach.ts",
  "/core/container/container_event.ts",
  "/core/container/create.ts",
  "/core/container/events.ts",
  "/core/container/exec.ts",
  "/core/container/finish.ts",
  "/core/container/host_config.ts",
  "/core/container/remove.ts",
  "/core/container/start.ts",
  "/core/container/stop.ts",
  "/core/container/store_place.ts",
  "/core/image/builtin_image.ts",
  "/core/image/inspect_image.ts",
  "/core/image/resolve.ts",
]);

/** What they need seldom, and a lot of it: loaded from the sources. Nothing but plain values goes to and fro. */
const FROM_SOURCES: ReadonlySet<string> = new Set([
  "/core/engine/transfers.ts",
]);

await bundle();

async function bundle(): Promise<void> {
  await Deno.mkdir(dist, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: root.pathname, prefix: ".bundle-" });
  try {
    for (const folder of SOURCES) await copyTransformed(folder, temporary);
    await runBundler(`${temporary}/cli/main.ts`, `${temporary}/dhow.js`);
    await Deno.rename(`${temporary}/dhow.js`, new URL("dhow.js", dist));
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function copyTransformed(folder: string, target: string): Promise<void> {
  await Deno.mkdir(`${target}/${folder}`);
  for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await copyTransformed(path, target);
    else if (path.endsWith(".ts") && !path.endsWith("_test.ts")) {
      const text = await Deno.readTextFile(new URL(path, root));
      await Deno.writeTextFile(`${target}/${path}`, transform(text, folder));
    }
  }
}

/**
 * Lazy imports become literal ones, which a bundler follows, but for those that are not in here. Other URLs
 * are counted from dist/.
 */
function transform(text: string, folder: string): string {
  const lazyImport =
    /lazy<\s*typeof import\(\s*"([^"]+)",?\s*\)\s*>\(\s*"[^"]+",\s*import\.meta\.url,?\s*\)/g;
  const ownUrl = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;
  const resolve = (specifier: string) => new URL(specifier, `file:///${folder}/x`).pathname;
  return text.replace(lazyImport, (_, specifier) => {
    const path = resolve(specifier);
    if (FROM_SOURCES.has(path)) return `import(new URL("${specifier}", import.meta.url).href)`;
    const isCommand = /^\/cli\/(commands|hidden)\//.test(path);
    const isLeftOut = isCommand && !COMMANDS.has(path) ||
      folder === "core/engine" && !ENGINE_PARTS.has(path);
    return isLeftOut
      ? `Promise.reject(new Error("${path} is not in the bundle"))`
      : `import("${specifier}")`;
  }).replace(ownUrl, (_, specifier) => `new URL("..${resolve(specifier)}", import.meta.url)`);
}

/** Without minifying: that saves no time, and it takes `using` declarations for ordinary ones. */
async function runBundler(entry: string, output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-config", "--no-lock", entry, "-o", output],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr)}`);
}
