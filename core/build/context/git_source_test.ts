import { assertEquals, assertRejects } from "@std/assert";
import { DhowError } from "../../errors.ts";
import { storePaths } from "../../host/paths.ts";
import { checkOut, parseGitSource } from "./git_source.ts";
import { openContext } from "./open_context.ts";

Deno.test("parseGitSource() knows what docker takes for a repository", () => {
  const cases: [string, ReturnType<typeof parseGitSource>][] = [
    ["https://h/r.git", { remote: "https://h/r.git" }],
    ["https://h/r.git#v1:a/b/", { remote: "https://h/r.git", ref: "v1", directory: "a/b" }],
    ["https://h/r.git#:sub", { remote: "https://h/r.git", directory: "sub" }],
    ["git@h:r", { remote: "git@h:r" }],
    ["ssh://git@h/r#main", { remote: "ssh://git@h/r", ref: "main" }],
    ["git://h/r", { remote: "git://h/r" }],
    ["github.com/a/b", { remote: "https://github.com/a/b" }],
    ["https://h/r.tar.gz", undefined],
    ["https://h/r", undefined],
    ["./r.git", undefined],
    ["file:///r.git", undefined],
    ["ext::sh -c id", undefined],
    ["ssh://-oProxyCommand=id/r", undefined],
    ["-u@h:r", undefined],
  ];
  for (const [text, expected] of cases) assertEquals(parseGitSource(text), expected, text);
});

/** A repository of one commit, a tag and hooks that must not run, served as plain files. */
async function withRepository(
  test: (remote: string, directory: string, commit: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "dhow-git-" });
  const work = `${directory}/work`;
  const run = async (...args: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command("git", {
      args: ["-C", work, "-c", "user.name=n", "-c", "user.email=e@e", ...args],
      env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    await Deno.mkdir(`${work}/sub`, { recursive: true });
    await run("init", "-q", "-b", "main", ".");
    await Deno.writeTextFile(`${work}/sub/file`, "one\n");
    await Deno.writeTextFile(`${work}/.gitattributes`, "* filter=evil\n");
    await run("add", ".");
    await run("commit", "-qm", "one");
    await run("tag", "v1");
    const commit = await run("rev-parse", "HEAD");
    await Deno.writeTextFile(`${work}/sub/file`, "two\n");
    await run("commit", "-qam", "two");
    await run("update-server-info");
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const path = new URL(request.url).pathname.replace("/r.git/", `${work}/.git/`);
        return await Deno.readFile(path).then(
          (bytes) => new Response(bytes),
          () => new Response("", { status: 404 }),
        );
      },
    );
    await test(`http://127.0.0.1:${server.addr.port}/r.git`, directory, commit);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("checkOut() takes the default branch, a tag, a commit", async () => {
  await withRepository(async (remote, directory, commit) => {
    for (const [ref, expected] of [[undefined, "two\n"], ["v1", "one\n"], [commit, "one\n"]]) {
      const target = `${directory}/${ref ?? "head"}`;
      await Deno.mkdir(target);
      const found = await checkOut({ remote, ...ref && { ref } }, target);
      assertEquals(await Deno.readTextFile(`${target}/sub/file`), expected);
      if (ref !== undefined) assertEquals(found, commit);
      assertEquals(namesIn(target).includes(".git"), false);
    }
  });
});

Deno.test("checkOut() refuses refs that are options and says what the server said", async () => {
  await withRepository(async (remote, directory) => {
    const target = `${directory}/target`;
    await Deno.mkdir(target);
    for (const ref of ["--upload-pack=id", "a b", "a:b"]) {
      await assertRejects(() => checkOut({ remote, ref }, target), DhowError, "invalid git ref");
    }
    const user = remote.replace("//", "//me:hush@");
    const error = await assertRejects(
      () => checkOut({ remote: user, ref: "nowhere" }, target),
      DhowError,
      "failed to fetch remote http://127.0.0.1",
    );
    assertEquals(error.message.includes("hush"), false);
    await assertRejects(
      () => checkOut({ remote: `${directory}/work` }, `${directory}/target`),
      DhowError,
    );
  });
});

Deno.test("openContext() takes a directory of a repository, and none above it", async () => {
  await withRepository(async (remote, directory) => {
    const paths = storePaths(`${directory}/store`);
    {
      await using opened = await openContext(paths, `${remote}#v1:sub`);
      assertEquals(namesIn(opened.directory!), ["file"]);
      assertEquals(opened.isForeign, true);
    }
    for (const outside of ["..", "../../..", "sub/../..", "nowhere", "sub/file"]) {
      const open = () => openContext(paths, `${remote}#:${outside}`);
      await assertRejects(open, DhowError, "not found in the repository");
    }
    assertEquals(namesIn(paths.tmp), []);
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
