import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { blobName, isDigest, parseDigest } from "./digest.ts";

const HEX = "0123456789abcdef".repeat(4);

Deno.test("parseDigest() takes sha256 and sha512 of their full length", () => {
  assertEquals(parseDigest(`sha256:${HEX}`), { algorithm: "sha256", hex: HEX });
  assertEquals(parseDigest(`sha512:${HEX}${HEX}`).algorithm, "sha512");
});

Deno.test("parseDigest() refuses everything else in docker's words", () => {
  const refusal = (text: string) =>
    (assertThrows(() => parseDigest(text), DhowError) as DhowError).message;
  for (const text of ["", "sha256", "sha256:", `sha256:${HEX}\n`, `:${HEX}`, `sha256:../${HEX}`]) {
    assertEquals(refusal(text), "invalid checksum digest format");
    assertEquals(isDigest(text), false);
  }
  assertEquals(refusal(`sha256:${HEX.toUpperCase()}`), "invalid checksum digest format");
  assertEquals(refusal(`md5:${HEX}`), "unsupported digest algorithm");
  assertEquals(refusal("sha256:abc"), "invalid checksum digest length");
});

Deno.test("blobName() never leads out of the blob directory", () => {
  assertEquals(blobName(`sha256:${HEX}`), HEX);
  assertThrows(() => blobName("sha256:../../etc/passwd"), DhowError);
  assertThrows(() => blobName(`sha512:${HEX}${HEX}`), DhowError);
});
