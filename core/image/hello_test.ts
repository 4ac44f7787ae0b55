import { assertEquals } from "@std/assert";
import { hasProgram } from "../../tests/helpers/tar.ts";
import { buildHello } from "./hello.ts";

const EMULATORS = { amd64: "qemu-x86_64", arm64: "qemu-aarch64" } as const;
const HERE = Deno.build.arch === "x86_64" ? "amd64" : "arm64";

for (const architecture of ["amd64", "arm64"] as const) {
  Deno.test(`buildHello() makes a program that runs on ${architecture}`, async () => {
    const emulator = architecture === HERE ? undefined : EMULATORS[architecture];
    if (emulator !== undefined && !await hasProgram(emulator)) {
      // deno-lint-ignore no-console
      return console.warn(`skipped: ${emulator} is not installed`);
    }
    const file = await Deno.makeTempFile();
    await Deno.writeFile(file, buildHello(architecture));
    await Deno.chmod(file, 0o755);
    const [program, ...args] = emulator === undefined ? [file] : [emulator, file];
    const { code, stdout } = await new Deno.Command(program!, { args }).output();
    await Deno.remove(file);
    assertEquals(code, 0);
    const text = new TextDecoder().decode(stdout);
    assertEquals(
      text.includes(`users                ${await Deno.readLink("/proc/self/ns/user")}`),
      true,
    );
    assertEquals(
      text.includes((await Deno.readTextFile("/proc/sys/kernel/hostname")).trim()),
      true,
    );
  });
}
