/**
 * `dhow setup`'s last step: all of dhow in one file, dist/dhow.js, which starts in half the time of two hundred.
 *
 * The launcher uses it as long as no source file is newer. What the sources load lazily (core/lib/lazy.ts) is in the
 * same file, evaluated when it is asked for.
 *
 * @module
 */
const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
const SOURCES = ["cli", "core", "ffi"];

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
 * Lazy imports become literal ones, which a bundler follows; other URLs are counted from dist/.
 *
 * The minifier puts the value of a variable in place of its only use, even if it was declared with `using`, and then
 * nothing disposes of it. So the disposing variable becomes another one, without uses.
 */
function transform(text: string, folder: string): string {
  const lazyImport =
    /lazy<\s*typeof import\(\s*"([^"]+)",?\s*\)\s*>\(\s*"[^"]+",\s*import\.meta\.url,?\s*\)/g;
  const ownUrl = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;
  const using = /^( *)((?:await )?using) (\w+) = /gm;
  const disposing = text.replace(using, "$1let $3; $2 $3_disposed = $3 = ");
  return disposing.replace(lazyImport, 'import("$1")').replace(ownUrl, (_, specifier) => {
    const path = new URL(specifier, `file:///${folder}/x`).pathname;
    const fromDist = path === "/cli/main.ts" ? "./dhow.js" : `..${path}`;
    return `new URL("${fromDist}", import.meta.url)`;
  });
}

async function runBundler(entry: string, output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-config", "--no-lock", "--minify", entry, "-o", output],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr)}`);
}
