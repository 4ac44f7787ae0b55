// A container that lives as long as a block, and commands in it.
// deno-lint-ignore-file no-console
import { run } from "dhow";

await using box = await run("busybox", { cmd: ["sleep", "600"], hostname: "harbour" });

console.log(await box.exec(["hostname"]).text());

const who = box.exec(["sh", "-c", 'echo "$(id -u) in $PWD likes $FISH"']).env({ FISH: "cod" });
console.log(await who.text());
console.log(await who.user("1:1").cwd("/tmp").env({ FISH: "eel" }).text());

const { exitCode } = await box.exec(["test", "-e", "/no/such/file"]).noThrow();
console.log(`exit code ${exitCode}`);
