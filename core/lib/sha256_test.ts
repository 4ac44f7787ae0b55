import { assertEquals } from "@std/assert";
import { sha256Hex } from "./sha256.ts";

Deno.test("sha256Hex() agrees with WebCrypto around every block boundary", async () => {
  for (let length = 0; length < 200; length++) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    assertEquals(sha256Hex(bytes), expected);
  }
});
