// An image from a registry: fetched with a word on each layer, used, and sent back under another name.
// deno-lint-ignore-file no-console
import { images, pull, push, run } from "dhow";

const registry = Deno.env.get("REGISTRY") ?? "localhost:5000";

const { reference, digest } = await pull(`${registry}/box`, {
  signal: AbortSignal.timeout(60_000),
  onProgress: (event) => {
    if (event.kind === "layer" && event.currentBytes === undefined) console.log(event.status);
  },
});
console.log(`${reference} is ${digest.slice(0, 7)}...`);

await using box = await run(reference, { cmd: ["echo", "hi"] });
console.log(await box.text());

const pushed = await push(reference);
console.log(pushed.digest === digest ? "the same went back" : "something else went back");
const [image] = await images({ filters: { reference: [`${registry}/*`] } });
console.log(image?.RepoTags.length);
