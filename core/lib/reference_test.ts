import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { seededRandom } from "../../tests/helpers/tar.ts";
import { canonicalReference, familiarReference, parseReference } from "./reference.ts";

const HEX = "0123456789abcdef".repeat(4);

Deno.test("parseReference() fills in what docker leaves out", () => {
  const canonical = (text: string) => canonicalReference(parseReference(text));
  assertEquals(canonical("busybox"), "docker.io/library/busybox:latest");
  assertEquals(canonical("user/app:1.0"), "docker.io/user/app:1.0");
  assertEquals(canonical("localhost/app"), "localhost/app:latest");
  assertEquals(canonical("localhost:5000/app"), "localhost:5000/app:latest");
  assertEquals(canonical("index.docker.io/busybox"), "docker.io/library/busybox:latest");
  assertEquals(canonical("docker.io/busybox"), "docker.io/library/busybox:latest");
  assertEquals(canonical("quay.io/a/b/c:T_1.x-2"), "quay.io/a/b/c:T_1.x-2");
  assertEquals(canonical("[::1]:5000/app"), "[::1]:5000/app:latest");
  assertEquals(canonical("Host/app"), "Host/app:latest");
  assertEquals(canonical(`app@sha256:${HEX}`), `docker.io/library/app@sha256:${HEX}`);
  assertEquals(canonical(`app:1@sha256:${HEX}`), `docker.io/library/app:1@sha256:${HEX}`);
});

Deno.test("familiarReference() takes away what parseReference() filled in", () => {
  for (const text of ["busybox:latest", "user/app:1", "localhost:5000/a:b", "quay.io/a/b:c"]) {
    assertEquals(familiarReference(parseReference(text)), text);
  }
  assertEquals(familiarReference(parseReference("docker.io/library/a/b:1")), "library/a/b:1");
  for (const text of ["docker.io/a.b/c:1", "docker.io/localhost/c:1"]) {
    assertEquals(familiarReference(parseReference(text)), text);
  }
});

Deno.test("parseReference() refuses in docker's words", () => {
  const refusal = (text: string) =>
    (assertThrows(() => parseReference(text), DhowError) as DhowError).message;
  const format = "invalid reference format";
  for (
    const text of ["", " ", "a b", "a:", ":a", "a@", "-a", "a..b", "a:b/c", "a/", "/a", "a//b"]
  ) {
    assertEquals(refusal(text), format, text);
  }
  for (const text of ["a\n", "a:b\n", "ä", "a:" + "t".repeat(129), "a\0b", "x".repeat(5000)]) {
    assertEquals(refusal(text), format);
  }
  assertEquals(refusal("Foo"), `${format}: repository name (library/Foo) must be lowercase`);
  assertEquals(
    refusal(HEX),
    `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`,
  );
  assertEquals(
    refusal("a".repeat(256)),
    "repository name must not be more than 255 characters",
  );
  assertEquals(refusal(`a@md5:${HEX}`), "unsupported digest algorithm");
  assertEquals(refusal(`a@sha256:${HEX.slice(1)}`), "invalid checksum digest length");
});

Deno.test("parseReference() takes or refuses any text, and what it takes it keeps", () => {
  const random = seededRandom(1);
  const alphabet = ["a", "b", "Z", "0", ".", "-", "_", "__", "/", ":", "@", "sha256:", HEX, " "];
  for (let i = 0; i < 20_000; i++) {
    const length = Math.floor(random() * 8);
    const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)])
      .join("");
    let canonical: string;
    try {
      canonical = canonicalReference(parseReference(text));
    } catch (error) {
      if (error instanceof DhowError && error.code === "invalid_argument") continue;
      throw error;
    }
    assertEquals(canonicalReference(parseReference(canonical)), canonical, text);
    const familiar = familiarReference(parseReference(canonical));
    assertEquals(canonicalReference(parseReference(familiar)), canonical, text);
  }
});
