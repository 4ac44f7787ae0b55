// The bill of materials lists what is locked, and knows what of it users run.
import { assertEquals } from "@std/assert";

Deno.test("sbom lists each locked package; only what the program loads is required", async () => {
  const tool = new URL("../tools/sbom.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", tool],
  }).output();
  const { components } = JSON.parse(new TextDecoder().decode(stdout));
  const lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
  const found = components.map(({ name, version }: Record<string, string>) => `${name}@${version}`);
  assertEquals(found, Object.keys(lock.npm));
  const required = components.filter(({ scope }: { scope: string }) => scope === "required");
  assertEquals(required.map(({ name }: { name: string }) => name), ["yaml"]);
});
