/**
 * A program of its own: loads a user's module and writes down the Dockerfile that its default export is.
 *
 * Run by `dhow build -f build.ts` with the module's URL and the file to write to.
 *
 * @module
 */
const [specifier, target] = Deno.args as [string, string];
const module: { default?: unknown } = await import(specifier);
const exported = typeof module.default === "function" ? await module.default() : module.default;
// By what it has: the module may have another copy of the class.
const dockerfile = (exported as { dockerfile?: unknown } | undefined)?.dockerfile;
if (typeof dockerfile !== "string") {
  const said = `the default export must be an image, as image("debian:12").run("...") makes, ` +
    "or a function that answers one\n";
  Deno.stderr.writeSync(new TextEncoder().encode(said));
  Deno.exit(1);
}
await Deno.writeTextFile(target, dockerfile);
