/**
 * `dhow setup`'s last step: dist/dhow.js, `run` and `exec` in one file, which takes less time to load than a hundred. The
 * launcher uses it for them as long as no source is newer; the other commands are as fast from the sources.
 *
 * What the sources load lazily (core/lib/lazy.ts) is in the same file, evaluated when it is asked for.
 *
 * @module
 */
const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
const SOURCES = ["cli", "core", "ffi"];

/**
 * What is in it of that which the sources load lazily: what `run` and `exec` need when nothing is out of the ordinary.
 * The rest would only take time to load, and comes from the sources when it is asked for.
 */
const HOT: ReadonlySet<string> = new Set([
  "/cli/commands/container/exec.ts",
  "/cli/commands/container/run.ts",
  "/cli/flags.ts",
  "/cli/registry.ts",
  "/core/container/attach.ts",
  "/core/container/container_event.ts",
  "/core/container/create.ts",
  "/core/container/events.ts",
  "/core/container/exec.ts",
  "/core/container/finish.ts",
  "/core/container/host_config.ts",
  "/core/container/remove.ts",
  "/core/container/start.ts",
  "/core/container/volumes.ts",
  "/core/engine/local.ts",
  "/core/host/terminal.ts",
  "/core/image/ensure_unpacked.ts",
  "/core/image/resolve.ts",
  "/core/image/stored_image.ts",
  "/core/store/blob.ts",
  "/core/store/layout.ts",
  "/ffi/process.ts",
]);

await bundle();

async function bundle(): Promise<void> {
  await Deno.mkdir(dist, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: root.pathname, prefix: ".bundle-" });
  try {
    for (const folder of SOURCES) await copyTransformed(folder, temporary);
    await runBundler(`${temporary}/cli/main.ts`, `${temporary}/dhow.js`);
    const files = bundledFiles(await Deno.readTextFile(`${temporary}/dhow.js`));
    await Deno.writeTextFile(`${temporary}/sources.sh`, freshnessCheck(files));
    for (const name of ["sources.sh", "dhow.js"]) {
      await Deno.rename(`${temporary}/${name}`, new URL(name, dist));
    }
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

/** Lazy imports become literal ones, which a bundler follows, or such from the sources. URLs are counted from dist/. */
function transform(text: string, folder: string): string {
  const lazyImport =
    /lazy<\s*typeof import\(\s*"([^"]+)",?\s*\)\s*>\(\s*"[^"]+",\s*import\.meta\.url,?\s*\)/g;
  const ownUrl = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;
  const resolve = (specifier: string) => new URL(specifier, `file:///${folder}/x`).pathname;
  const fromDist = (specifier: string) => `new URL("..${resolve(specifier)}", import.meta.url)`;
  return text.replace(ownUrl, (_, specifier) => fromDist(specifier)).replace(
    lazyImport,
    (_, specifier) =>
      HOT.has(resolve(specifier))
        ? `import("${specifier}")`
        : `import(${fromDist(specifier)}.href)`,
  );
}

/** The sources in a bundle, by the comments that the bundler puts before each. */
function bundledFiles(bundle: string): string[] {
  const files = [...bundle.matchAll(/^\/\/ \S*?((?:cli|core|ffi)\/\S+\.ts)$/gm)]
    .map((match) => match[1]!);
  if (files.length === 0) throw new Error("the bundle names none of its sources");
  return [...new Set(files)].sort();
}

/** A shell function for the launcher: whether none of these files is newer than the bundle. */
function freshnessCheck(files: string[]): string {
  return `# Written by tools/bundle.ts.
bundle_is_fresh() {
  for file in \\\n    ${files.join(" \\\n    ")}; do
    # shellcheck disable=SC3013 # dash, busybox and bash have -nt
    [ "$1/$file" -nt "$1/dist/dhow.js" ] && return 1
  done
  [ -f "$1/dist/dhow.js" ]
}
`;
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
