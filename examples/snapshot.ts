// The files of a container become a new image.
// deno-lint-ignore-file no-console
import { engine, run } from "dhow";

const { containers, images } = await engine();

await using before = await run("busybox", { cmd: ["sleep", "600"] });
await before.exec(["sh", "-c", "echo 'made by a script' > /etc/motd"]);

const { tar } = await containers.archive(before.id, "/");
const changes = ['CMD ["cat", "/etc/motd"]'];
const id = await images.import(tar, { reference: "snapshot:latest", changes });

await using after = await run(id);
console.log(await after.text());
