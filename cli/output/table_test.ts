import { assertEquals } from "@std/assert";
import { formatTable } from "./table.ts";

Deno.test("formatTable() pads as docker does", () => {
  const text = formatTable([["CONTAINER ID", "IMAGE", "PORTS", "NAMES"], [
    "6f696b40ac64",
    "busybox",
    "",
    "x",
  ]]);
  assertEquals(
    text,
    "CONTAINER ID   IMAGE     PORTS     NAMES\n" +
      "6f696b40ac64   busybox             x\n",
  );
});
