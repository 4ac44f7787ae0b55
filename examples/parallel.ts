// Several containers at once; the first error or a Ctrl-C ends them all.
// deno-lint-ignore-file no-console
import { run } from "dhow";

const stop = new AbortController();
const interrupt = () => stop.abort(new Error("interrupted"));
Deno.addSignalListener("SIGINT", interrupt);

async function square(n: number): Promise<number> {
  const cmd = ["sh", "-c", "sleep 0.1; echo $((N * N))"];
  await using box = await run("busybox", { cmd, env: { N: String(n) }, signal: stop.signal });
  return Number(await box.text());
}

const work = [1, 2, 3, 4, 5, 6, 7, 8].map(square);
try {
  console.log((await Promise.all(work)).join(" "));
} catch (error) {
  stop.abort(error);
  throw error;
} finally {
  await Promise.allSettled(work); // all containers are gone then
  Deno.removeSignalListener("SIGINT", interrupt);
}
