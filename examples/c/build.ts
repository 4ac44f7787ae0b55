// What the Dockerfile beside it says, in TypeScript: `dhow build -f build.ts .` makes the same layers.
import { image } from "dhow";

const build = image("debian:12").as("build")
  .run("apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev")
  .workdir("/src")
  .copy("hello.c", ".")
  .run("gcc -O2 -static -s -o hello hello.c");

export default image("scratch")
  .copy("/src/hello", "/hello", { from: build })
  .entrypoint(["/hello"])
  .cmd(["world"]);
