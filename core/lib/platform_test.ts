import { assertEquals, assertThrows } from "@std/assert";
import { formatPlatform, hostPlatform, parsePlatform, platformFit } from "./platform.ts";

Deno.test("parsePlatform() fills in what is left out", () => {
  const { architecture } = hostPlatform();
  assertEquals(parsePlatform("linux"), { os: "linux", architecture });
  assertEquals(parsePlatform("arm64"), { os: "linux", architecture: "arm64" });
  assertEquals(parsePlatform("aarch64"), { os: "linux", architecture: "arm64" });
  assertEquals(formatPlatform(parsePlatform("Linux/ARM/v6")), "linux/arm/v6");
  assertEquals(formatPlatform(parsePlatform("armhf")), "linux/arm/v7");
  assertEquals(parsePlatform("constructor").architecture, "constructor");
  for (const text of ["", "a/b/c/d", "linux/a b", "linux//v1"]) {
    assertThrows(() => parsePlatform(text), Error, `"${text}": cannot parse platform`);
  }
  assertThrows(() => parsePlatform("windows/amd64"), Error, "operating system is not supported");
});

Deno.test("platformFit() takes the same, then the nearest older variant", () => {
  const fit = (wanted: string, offered: string) =>
    platformFit(parsePlatform(wanted), parsePlatform(offered));
  assertEquals(fit("linux/amd64", "linux/arm64"), 0);
  assertEquals(fit("linux/arm64", "linux/arm64/v8"), 100);
  assertEquals(fit("linux/arm64/v8", "linux/arm64"), 100);
  assertEquals(fit("linux/arm", "linux/arm/v7"), 100);
  assertEquals(fit("linux/arm/v6", "linux/arm/v7"), 0);
  assertEquals(fit("linux/arm/v7", "linux/arm/v6") > fit("linux/arm/v7", "linux/arm/v5"), true);
  assertEquals(fit("linux/amd64", "linux/amd64") > fit("linux/amd64", "linux/amd64/v2"), true);
});
