import { assertEquals, assertRejects } from "@std/assert";
import { DhowError } from "../errors.ts";
import { cachedFilter } from "./seccomp.ts";
import { compileSeccomp } from "./seccomp_compile.ts";
import { defaultProfile, PROFILE_CAPABILITIES } from "./seccomp_profile.ts";

async function withTemporaryDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

const architecture = "x86_64";

Deno.test("cachedFilter() answers the same from the compiler and from the cache", async () => {
  await withTemporaryDirectory(async (path) => {
    const capabilities = ["CAP_CHOWN", "CAP_SYS_CHROOT"];
    const expected = compileSeccomp(defaultProfile(), { capabilities, architecture });
    const options = { capabilities, architecture } as const;
    assertEquals(await cachedFilter(`${path}/a/b`, undefined, options), expected);
    assertEquals((await Array.fromAsync(Deno.readDir(`${path}/a/b`))).length, 1);
    assertEquals(await cachedFilter(`${path}/a/b`, undefined, options), expected);
  });
});

Deno.test("cachedFilter() tells apart every capability the default profile asks for", async () => {
  await withTemporaryDirectory(async (path) => {
    for (const capability of PROFILE_CAPABILITIES) {
      await cachedFilter(path, undefined, { capabilities: [capability], architecture });
    }
    const files = await Array.fromAsync(Deno.readDir(path));
    assertEquals(files.length, PROFILE_CAPABILITIES.length);
  });
});

Deno.test("cachedFilter() compiles again where the cached file is cut short", async () => {
  await withTemporaryDirectory(async (path) => {
    const options = { capabilities: [], architecture } as const;
    const expected = await cachedFilter(path, undefined, options);
    const [file] = await Array.fromAsync(Deno.readDir(path));
    await Deno.truncate(`${path}/${file!.name}`, 64);
    assertEquals(await cachedFilter(path, undefined, options), expected);
  });
});

Deno.test("cachedFilter() works where nothing can be kept", async () => {
  const program = await cachedFilter("/proc/no/such", undefined, { capabilities: [] });
  assertEquals(program.length % 8, 0);
});

Deno.test("cachedFilter() compiles custom profiles and reports malformed ones", async () => {
  await withTemporaryDirectory(async (path) => {
    const options = { capabilities: [], architecture } as const;
    const one = await cachedFilter(path, `{"defaultAction": "SCMP_ACT_ALLOW"}`, options);
    const two = await cachedFilter(path, `{"defaultAction": "SCMP_ACT_LOG"}`, options);
    assertEquals(one.length, two.length);
    assertEquals(one.toString() === two.toString(), false);
    await assertRejects(() => cachedFilter(path, "{", options), DhowError, "Decoding");
  });
});
