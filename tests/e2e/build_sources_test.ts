// Where builds get files from besides the context: the web, repositories, agents, other contexts.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Project } from "../helpers/project.ts";
import { containerTest } from "../helpers/sandbox.ts";

const HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/** A web server of a test. */
function serve(): { url: string; requests: string[] } & AsyncDisposable {
  const requests: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    if (pathname === "/missing") return new Response("", { status: 404 });
    const headers: Record<string, string> = { "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT" };
    if (pathname === "/named") headers["content-disposition"] = 'attachment; filename="../../said"';
    return new Response("hello", { headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

containerTest("ADD fetches from the web, and believes checksums more than servers", async (box) => {
  await using web = serve();
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
ADD ${web.url}/file /file
ADD ${web.url}/named /into/
ADD --chmod=755 --checksum=sha256:${HELLO_SHA256} ${web.url}/checked /checked
`,
  });
  await project.builds("app");
  const stat = await box.runs(
    "--rm",
    "app",
    "stat",
    "-c",
    "%n %a %Y",
    "/file",
    "/into/said",
    "/checked",
  );
  assertEquals(stat, "/file 600 1700000000\n/into/said 600 1700000000\n/checked 755 1700000000");
  web.requests.length = 0;
  assertEquals((await project.builds("app")).match(/CACHED/g)?.length, 4);
  // What has a checksum need not be asked for.
  assertEquals(web.requests, ["/file", "/named"]);
  const wrong = `FROM busybox\nADD --checksum=sha256:${"0".repeat(64)} ${web.url}/file /file\n`;
  await project.write("Dockerfile", wrong);
  const { code, err } = await project.build("wrong");
  assertEquals(code, 1);
  assertStringIncludes(err, "digest mismatch");
  await project.write("Dockerfile", `FROM busybox\nADD ${web.url}/missing /file\n`);
  const missing = await project.build("wrong");
  assertEquals(missing.code, 1);
  assertMatch(missing.err, /Dockerfile:2[^]*invalid response status 404/);
  assertEquals((await box.dhow("image", "inspect", "wrong")).code, 1);
});

containerTest("a RUN reaches the agent that it was given, and no other step does", async (box) => {
  const socket = `${box.directory}/agent`;
  using _agent = Deno.listen({ transport: "unix", path: socket });
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
RUN --mount=type=ssh,required=true test -S "$SSH_AUTH_SOCK" && echo "$SSH_AUTH_SOCK" > /where
RUN --mount=type=ssh,id=other test -z "$SSH_AUTH_SOCK"
RUN test -z "$SSH_AUTH_SOCK" && test ! -e "$(cat /where)" && test ! -e /run/buildkit
`,
  });
  await project.builds("app", "--ssh", `default=${socket}`);
  assertEquals(await box.runs("--rm", "app", "cat", "/where"), "/run/buildkit/ssh_agent.0");
  const { code, err } = await project.build("app", ["--no-cache"]);
  assertEquals(code, 1);
  assertStringIncludes(err, `no SSH key "default" forwarded from the client`);
});

containerTest(
  "named contexts take the place of directories, images and stages' sources",
  async (box) => {
    const other = await Project.make(box, {
      seen: "seen",
      hidden: "hidden",
      ".dockerignore": "hidden",
    });
    const project = await Project.make(box, {
      Dockerfile: `FROM base
COPY --from=files . /files/
RUN --mount=from=files,target=/mounted cat /mounted/seen > /read
`,
    });
    await project.builds(
      "app",
      "--build-context",
      `files=${other.directory}`,
      "--build-context",
      "base=docker-image://busybox",
    );
    assertEquals(await box.runs("--rm", "app", "cat", "/read", "/files/seen"), "seenseen");
    assertEquals(
      (await box.dhow("run", "--rm", "--network", "none", "app", "test", "-e", "/files/hidden"))
        .code,
      1,
    );
  },
);
