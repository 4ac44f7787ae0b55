/**
 * `dhow setup`'s last step: dist/dhow.js, `run` and `exec` in one file, which takes less time to load than a hundred, and
 * dist/build.js, `build` in another. The launcher uses them as long as no source is newer; the other commands are as fast
 * from the sources.
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
  "/core/container/groups.ts",
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

/** The same for `build` when every step is in the cache. */
const HOT_FOR_BUILD: ReadonlySet<string> = new Set([
  "/cli/build/deliver.ts",
  "/cli/build/display/plain.ts",
  "/cli/build/display/terminal.ts",
  "/cli/build/run_build.ts",
  "/cli/commands/image/build.ts",
  "/cli/flags.ts",
  "/cli/registry.ts",
  "/core/build/build_image.ts",
  "/core/build/copy_step.ts",
  "/core/build/file_digests.ts",
  "/core/build/run_step.ts",
  "/core/container/event_filters.ts",
  "/core/container/events.ts",
  "/core/engine/local.ts",
  "/core/image/resolve.ts",
  "/core/image/stored_image.ts",
  "/core/store/blob.ts",
  "/core/store/layout.ts",
]);

await bundle("dhow", "sources", HOT);
await bundle("build", "build-sources", HOT_FOR_BUILD);

/** Makes `NAME.js` and, beside it, what tells whether it is fresh. */
async function bundle(name: string, sources: string, hot: ReadonlySet<string>): Promise<void> {
  await Deno.mkdir(dist, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: root.pathname, prefix: ".bundle-" });
  try {
    for (const folder of SOURCES) await copyTransformed(folder, { target: temporary, hot });
    await runBundler(`${temporary}/cli/main.ts`, `${temporary}/${name}.js`);
    const files = bundledFiles(await Deno.readTextFile(`${temporary}/${name}.js`));
    await Deno.writeTextFile(`${temporary}/${sources}.sh`, freshnessCheck(files, name));
    for (const file of [`${sources}.sh`, `${name}.js`]) {
      await Deno.rename(`${temporary}/${file}`, new URL(file, dist));
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function copyTransformed(
  folder: string,
  options: { target: string; hot: ReadonlySet<string> },
): Promise<void> {
  const { target, hot } = options;
  await Deno.mkdir(`${target}/${folder}`);
  for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await copyTransformed(path, options);
    else if (path.endsWith(".ts") && !path.endsWith("_test.ts")) {
      const text = await Deno.readTextFile(new URL(path, root));
      await Deno.writeTextFile(`${target}/${path}`, transform(text, { folder, hot }));
    }
  }
}

/** Lazy imports become literal ones, which a bundler follows, or such from the sources. URLs are counted from dist/. */
function transform(
  text: string,
  { folder, hot }: { folder: string; hot: ReadonlySet<string> },
): string {
  const lazyImport =
    /lazy<\s*typeof import\(\s*"([^"]+)",?\s*\)\s*>\(\s*"[^"]+",\s*import\.meta\.url,?\s*\)/g;
  const ownUrl = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;
  const resolve = (specifier: string) => new URL(specifier, `file:///${folder}/x`).pathname;
  const fromDist = (specifier: string) => `new URL("..${resolve(specifier)}", import.meta.url)`;
  return text.replace(ownUrl, (_, specifier) => fromDist(specifier)).replace(
    lazyImport,
    (_, specifier) =>
      hot.has(resolve(specifier))
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
function freshnessCheck(files: string[], name: string): string {
  return `# Written by tools/bundle.ts.
bundle_is_fresh() {
  for file in \\\n    ${files.join(" \\\n    ")}; do
    # shellcheck disable=SC3013 # dash, busybox and bash have -nt
    [ "$1/$file" -nt "$1/dist/${name}.js" ] && return 1
  done
  [ -f "$1/dist/${name}.js" ]
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
