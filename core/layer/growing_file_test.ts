import { assertEquals } from "@std/assert";
import { FileGrowth, GrowingFile } from "./growing_file.ts";

Deno.test("GrowingFile reads what was renamed, not the empty file that has its old name", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const names = [`${directory}/pull`, `${directory}/blob`];
    Deno.writeTextFileSync(names[0]!, "");
    Deno.writeTextFileSync(names[1]!, "content");
    const growth = new FileGrowth();
    growth.grow(7, true);
    using file = new GrowingFile(names, growth);
    const buffer = new Uint8Array(100);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, file.read(buffer))), "content");
    assertEquals(file.read(buffer), 0);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
