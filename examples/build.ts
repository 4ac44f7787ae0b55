// Builds an image and runs it: the same cache and the same errors as a Dockerfile.
// deno-lint-ignore-file no-console
import { image } from "dhow";

const greeting = image("busybox").run("echo ahoy > /greeting");
const ship = image("busybox")
  .copy("/greeting", "/etc/motd", { from: greeting })
  .env({ NAME: "dhow" })
  .cmd('cat /etc/motd; echo "from $NAME"');

const built = await ship.build({ tag: "example/ship" });
await using container = await built.run();
console.log(await container.text());

const again = await ship.build();
console.log(again.id === built.id, again.steps.done);
