// What a container prints, as it comes, until we have seen enough.
// deno-lint-ignore-file no-console
import { run } from "dhow";

const ticker = "i=0; while true; do i=$((i + 1)); echo tick $i; sleep 0.2; done";
await using box = await run("busybox", { cmd: ["sh", "-c", ticker] });

try {
  for await (const { bytes } of box.logs({ follow: true, signal: AbortSignal.timeout(1000) })) {
    await Deno.stdout.write(bytes);
  }
} catch (error) {
  if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
  console.log("enough");
}
