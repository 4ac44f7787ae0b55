import { assertEquals, assertRejects } from "@std/assert";
import { archive, member, streamOf } from "../../../tests/helpers/tar.ts";
import { DhowError } from "../../errors.ts";
import { storePaths } from "../../host/paths.ts";
import { findDockerfile } from "./find_dockerfile.ts";
import { openContext } from "./open_context.ts";

async function withStore(
  test: (paths: ReturnType<typeof storePaths>, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "dhow-context-" });
  try {
    const paths = storePaths(`${directory}/store`);
    await test(paths, directory);
    assertEquals(namesIn(paths.tmp), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const FILES = [
  member("directory", "sub", { mode: 0o555 }),
  member("file", "sub/a", { content: "a\n", mode: 0o4000 }),
  member("file", "Dockerfile", { content: "FROM scratch\n" }),
  member("file", ".dockerignore", { content: "*.o\n!keep.o" }),
  member("char", "null"),
];

Deno.test("openContext() unpacks an archive from stdin as the caller's own files", async () => {
  await withStore(async (paths) => {
    const gzip = new CompressionStream("gzip");
    for (
      const stdin of [streamOf(archive(...FILES)), streamOf(archive(...FILES)).pipeThrough(gzip)]
    ) {
      await using opened = await openContext(paths, "-", { stdin });
      assertEquals(await findDockerfile(opened, ""), {
        dockerfile: { name: "Dockerfile", text: "FROM scratch\n" },
        ignore: ["*.o", "!keep.o"],
      });
      const info = await Deno.stat(`${opened.directory}/sub/a`);
      assertEquals([info.uid, info.mode! & 0o7777], [Deno.uid(), 0o4400]);
      assertEquals(namesIn(opened.directory!).length, 3);
    }
  });
});

Deno.test("openContext() takes a text from stdin for a Dockerfile alone", async () => {
  await withStore(async (paths) => {
    const stdin = streamOf(new TextEncoder().encode("FROM a\nCOPY b c\n"));
    await using opened = await openContext(paths, "-", { stdin });
    const { dockerfile } = await findDockerfile(opened, "");
    assertEquals([opened.directory, dockerfile.text], [undefined, "FROM a\nCOPY b c\n"]);
  });
});

Deno.test("links in an archive do not lead out of it", async () => {
  await withStore(async (paths, directory) => {
    await Deno.writeTextFile(`${directory}/secret`, "FROM outside\n");
    for (const linkPath of [`${directory}/secret`, "../../../secret"]) {
      const stdin = streamOf(archive(
        member("symlink", "Dockerfile", { linkPath }),
        member("symlink", ".dockerignore", { linkPath }),
      ));
      await using opened = await openContext(paths, "-", { stdin });
      await assertRejects(() => findDockerfile(opened, ""), DhowError, "open Dockerfile: no such");
      await assertRejects(() => findDockerfile(opened, "../../../secret"), DhowError, "no such");
    }
    const stdin = streamOf(
      archive(member("symlink", "d", { linkPath: "/" }), member("file", "d/x")),
    );
    await using opened = await openContext(paths, "-", { stdin });
    assertEquals(namesIn(opened.directory!), [
      "d",
      "x",
    ]);
  });
});

Deno.test("findDockerfile() prefers the list of ignored files beside the Dockerfile", async () => {
  await withStore(async (paths, directory) => {
    const context = `${directory}/context`;
    await Deno.mkdir(context);
    for (const name of ["Containerfile", "other"]) {
      await Deno.writeTextFile(`${context}/${name}`, `FROM ${name}\n`);
    }
    await Deno.writeTextFile(`${context}/.dockerignore`, "a");
    await Deno.writeTextFile(`${context}/other.dockerignore`, "b");
    await using opened = await openContext(paths, context);
    const { dockerfile, ignore } = await findDockerfile(opened, "");
    assertEquals([dockerfile.text, ignore], ["FROM Containerfile\n", ["a"]]);
    const other = await findDockerfile(opened, `${context}/other`);
    assertEquals([other.dockerfile.name, other.ignore], ["other", ["b"]]);
    await assertRejects(
      () => findDockerfile(opened, "nowhere"),
      DhowError,
      "failed to read dockerfile: open nowhere: no such file or directory",
    );
  });
});

Deno.test("openContext() says what is no context", async () => {
  await withStore(async (paths, directory) => {
    await assertRejects(
      () => openContext(paths, `${directory}/nowhere`),
      DhowError,
      `unable to prepare context: path "${directory}/nowhere" not found`,
    );
    const stdin = streamOf(
      archive(member("file", "a", { content: "x".repeat(600) })).subarray(0, 1000),
    );
    await assertRejects(() => openContext(paths, "-", { stdin }), DhowError);
  });
});

Deno.test("openContext() fetches archives and Dockerfiles from the web", async () => {
  await withStore(async (paths) => {
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/tar") return new Response(archive(...FILES));
        return pathname === "/file"
          ? new Response("FROM web\n")
          : new Response("no", { status: 404 });
      },
    );
    const base = `http://user:hush@127.0.0.1:${server.addr.port}`;
    await using tar = await openContext(paths, `${base}/tar`);
    assertEquals((await findDockerfile(tar, "")).dockerfile.text, "FROM scratch\n");
    await using file = await openContext(paths, `${base}/file`);
    assertEquals(file.dockerfile, "FROM web\n");
    const error = await assertRejects(
      () => openContext(paths, `${base}/x`),
      DhowError,
      "status 404",
    );
    assertEquals(error.message.includes("hush"), false);
  });
});

/** Of a directory that need not be there. */
function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}
