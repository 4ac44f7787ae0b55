// Bytes in, bytes out: a program in a container as a filter.
// deno-lint-ignore-file no-console
import { run } from "dhow";

await using box = await run("busybox", { cmd: ["sleep", "600"] });

const words = ["rope", "anchor", "sail", "anchor"];
const sorted = await box.exec(["sort", "-u"]).stdin(words.join("\n")).lines();
console.log(sorted.join(" "));

const { stdout } = await box.exec(["gzip", "-c"]).stdin(new Uint8Array(1_000_000));
const plain = new Blob([stdout.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
console.log(`${(await new Response(plain).bytes()).length} bytes came back`);
