// `dhow build` as one types it: flags, contexts, displays, outputs. What builds make is tested elsewhere.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { containerTest, launcher, type Sandbox } from "../helpers/sandbox.ts";
import { archive, member } from "../helpers/tar.ts";
import { Terminal } from "../helpers/terminal.ts";

const DOCKERFILE = `FROM busybox AS base
ARG WHO=nobody
LABEL who=$WHO
COPY a.txt /a.txt
FROM base AS last
RUN echo seen on stdout; echo seen on stderr >&2
CMD ["cat", "/a.txt"]
`;

/** A directory with files in it. */
async function context(
  box: Sandbox,
  files: Record<string, string> = { Dockerfile: DOCKERFILE, "a.txt": "hi\n" },
): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: box.directory, prefix: "context-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${directory}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
  return directory;
}

/** The image that a build makes has this label and content. */
async function assertMade(box: Sandbox, image: string, who = "nobody"): Promise<void> {
  assertEquals(await box.inspect(image, "{{.Config.Labels.who}}"), who);
  assertEquals(await box.runs("--rm", image), "hi");
}

containerTest("build shows its steps on stderr and makes what it is told", async (box) => {
  const directory = await context(box);
  const files = { iid: `${box.directory}/iid`, metadata: `${box.directory}/metadata` };
  const { code, out, err } = await box.run([
    ...["build", "-t", "one", "-t", "two:2", "--build-arg", "WHO", "--label", "more=1"],
    ...["--iidfile", files.iid, "--metadata-file", files.metadata, directory],
  ], { env: { WHO: "me" } });
  assertEquals([code, out], [0, ""], err);
  assertMatch(err, /^#1 \[internal\] load build definition from Dockerfile\n#1 transferring/);
  assertMatch(err, /^#\d \[base 2\/2\] COPY a\.txt \/a\.txt\n#\d DONE \d\.\ds$/m);
  assertMatch(err, /^#(\d) \d\.\d{3} seen on stdout\n(.*\n)*?#\1 \d\.\d{3} seen on stderr$/m);
  assertMatch(err, /^#\d naming to docker\.io\/library\/two:2 done$/m);
  await assertMade(box, "one", "me");
  const id = await Deno.readTextFile(files.iid);
  assertEquals(await box.inspect("two:2", "{{.Id}} {{.Config.Labels.more}}"), `${id} 1`);
  const metadata = JSON.parse(await Deno.readTextFile(files.metadata));
  assertEquals(metadata["containerimage.config.digest"], id);
  assertEquals(metadata["image.name"], "docker.io/library/one:latest,docker.io/library/two:2");

  const again = await box.run(["build", "-q", "--target", "base", directory]);
  assertMatch(again.out, /^sha256:[\da-f]{64}$/);
  assertEquals([again.code, again.err], [0, ""]);
});

containerTest("build takes its files from stdin, archives, the web and lists", async (box) => {
  const files = { Dockerfile: DOCKERFILE, "a.txt": "hi\n" };
  const directory = await context(box, files);
  const tar = archive(
    ...Object.entries(files).map(([name, content]) => member("file", name, { content })),
  );
  const gzipped = new Response(
    new Blob([tar]).stream().pipeThrough(new CompressionStream("gzip")),
  );
  const tarGz = new Uint8Array(await gzipped.arrayBuffer());
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    ({ url }) => new Response(url.endsWith("Dockerfile") ? DOCKERFILE : tarGz),
  );
  const web = `http://127.0.0.1:${server.addr.port}`;
  const other = await context(box, { "sub/Other": DOCKERFILE });
  const ways: [string[], Uint8Array<ArrayBuffer> | string | undefined][] = [
    [["-"], tar],
    [["-"], tarGz],
    [["-f", "-", directory], DOCKERFILE],
    [["-f", `${other}/sub/Other`, directory], undefined],
    [["-f", `${web}/Dockerfile`, directory], undefined],
    [[`${web}/context.tgz`], undefined],
  ];
  const ids = new Set<string>();
  for (const [args, stdin] of ways) {
    const { code, out, err } = await box.run(["build", "-q", "-t", "made", ...args], {
      ...stdin !== undefined && { stdin },
    });
    assertEquals([code, err], [0, ""], args.join(" "));
    ids.add(out);
  }
  await assertMade(box, "made");
  // The times of the files differ, what is in them does not.
  assertEquals(ids.size, 1);
  const alone = await box.run(["build", "-q", "-"], { stdin: "FROM busybox\nCOPY a.txt /\n" });
  assertEquals(alone.code, 1);
});

containerTest("build heeds lists of what to ignore, and named contexts", async (box) => {
  const directory = await context(box, {
    Dockerfile: "FROM busybox\nCOPY . /all/\nCOPY --from=more . /more/\nCOPY --from=base /b /b\n",
    ".dockerignore": "*.o\n!keep.o\nDockerfile\n.dockerignore\n",
    "x.o": "",
    "keep.o": "",
    "deep/y.o": "",
  });
  const more = await context(box, { "m": "", "n.o": "", ".dockerignore": "n.o\n" });
  await box.ok(
    "build",
    "-q",
    "-t",
    "other",
    await context(box, { Dockerfile: "FROM busybox\nRUN touch /b\n" }),
  );
  const flags = ["--build-context", `more=${more}`, "--build-context", "base=docker-image://other"];
  await box.ok("build", "-q", "-t", "made", ...flags, directory);
  const found = await box.runs(
    "--rm",
    "made",
    "sh",
    "-c",
    "cd /all; find . -type f; ls -A /more /b",
  );
  assertEquals(found.split("\n").sort(), [
    "",
    "./deep/y.o",
    "./keep.o",
    ".dockerignore",
    "/b",
    "/more:",
    "m",
  ]);
});

containerTest("build writes what was asked for, and keeps nothing else", async (box) => {
  const directory = await context(box);
  const target = `${box.directory}/out`;
  const list = () => box.ok("images", "-aq");
  const before = await list();
  await box.ok(
    "build",
    "-q",
    "-o",
    `${target}/root`,
    "-o",
    `type=tar,dest=${target}.tar`,
    directory,
  );
  const info = await Deno.stat(`${target}/root/a.txt`);
  assertEquals([info.uid, info.mode! & 0o777], [Deno.uid(), 0o644]);
  assertEquals(await Deno.readTextFile(`${target}/root/a.txt`), "hi\n");
  const flags = ["-t", "named:1", "-o", `type=oci,dest=${target}.oci`];
  await box.ok("build", "-q", ...flags, "-o", `type=docker,dest=${target}.docker`, directory);
  assertEquals(await list(), before);
  for (const format of ["oci", "docker"]) {
    assertStringIncludes(await box.ok("load", "-i", `${target}.${format}`), "named:1");
    await assertMade(box, "named:1");
    await box.ok("rmi", "named:1");
  }
  const { stdout } = await box.command(["build", "-o", "-", directory]).output();
  assertEquals(stdout, await Deno.readFile(`${target}.tar`));
  const wrong = await box.run(["build", "-o", `type=tar,dest=${target}/none/x.tar`, directory]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.err, "no such file or directory");
});

containerTest("build --push sends every name", async (box) => {
  await using registry = startFaultyRegistry();
  const names = [`${registry.host}/a:1`, `${registry.host}/b:2`];
  const { code, err } = await box.run(
    ["build", "--push", "-t", names[0]!, "-t", names[1]!, await context(box)],
  );
  assertEquals(code, 0, err);
  assertStringIncludes(err, `pushing ${names[0]}`);
  await box.ok("rmi", ...names);
  await box.ok("pull", "-q", names[1]!);
  await assertMade(box, names[1]!);
});

containerTest("a build that fails shows where and why, and leaves nothing", async (box) => {
  const directory = await context(box, {
    Dockerfile: "FROM busybox\nRUN echo fine\nRUN echo last words; exit 3\nRUN true\n",
  });
  const before = await box.ok("images", "-aq");
  const { code, out, err } = await box.run(["build", "-t", "never", directory]);
  assertEquals([code, out], [1, ""]);
  const shown = err.slice(err.indexOf("\n------\n") + 1).replace(/^\d\.\d{3} /gm, "");
  assertEquals(
    shown,
    `------
 > [3/4] RUN echo last words; exit 3:
last words
------
Dockerfile:3
--------------------
   1 |     FROM busybox
   2 |     RUN echo fine
   3 | >>> RUN echo last words; exit 3
   4 |     RUN true
   5 |     
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c echo last words; exit 3" did not complete successfully: exit code: 3`,
  );
  assertEquals([await box.ok("images", "-aq"), await box.ok("ps", "-aq")], [before, ""]);
});

containerTest("build says in docker's words what cannot be built", async (box) => {
  const directory = await context(box);
  const cases: [string[], string][] = [
    [["/no/such"], 'unable to prepare context: path "/no/such" not found'],
    [
      [`${directory}/Dockerfile`],
      `unable to prepare context: path "${directory}/Dockerfile" not found`,
    ],
    [
      ["-f", "nope", directory],
      "failed to solve: failed to read dockerfile: open nope: no such file or directory",
    ],
    [
      ["-f", "nope.ts", directory],
      "failed to solve: failed to read dockerfile: open nope.ts: no such file or directory",
    ],
    [["-f", "-", "-"], "invalid argument: can't use stdin for both build context and dockerfile"],
    [["-f", "-", directory], "failed to solve: the Dockerfile cannot be empty"],
    [["--target", "nope", directory], 'failed to solve: target stage "nope" could not be found'],
    [
      ["--build-context", "x=/no/such", directory],
      "failed to get build context x: stat /no/such: no such",
    ],
    [["-o", "/dev/null/x", directory], "Not a directory"],
    [["--progress", "tty", directory], "failed to get console: provided file is not a console"],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await box.run(["build", ...args], { stdin: "" });
    assertEquals(code, 1, args.join(" "));
    assertStringIncludes(err, `ERROR: failed to build: ${message}`);
  }
  const file = await box.dhow("build", "--iidfile", "/no/such/iid", directory);
  assertStringIncludes(
    file.err,
    "failed to write build result: invalid output path: stat /no/such:",
  );
  const { code, err } = await box.dhow("build", "--no-cahce", directory);
  assertEquals(code, 125);
  assertStringIncludes(err, "unknown flag: --no-cahce\nDid you mean --no-cache?");
  assertEquals((await box.dhow("build")).code, 1);
});

containerTest("build --call looks without building", async (box) => {
  const directory = await context(box, {
    Dockerfile:
      "FROM busybox AS one\n# V the version\nARG V=1\nFROM one as two\nRUN --mount=type=secret,id=key false\n",
  });
  const check = await box.run(["build", "--check", directory]);
  assertEquals(check.code, 1);
  assertStringIncludes(
    check.out,
    "Check complete, 1 warning has been found!\n\nWARNING: FromAsCasing",
  );
  const outline = await box.run(["build", "--call=outline", "--build-arg", "V=2", directory]);
  assertEquals(
    outline.out.replace(/ +$/gm, ""),
    "TARGET: two\n\nBUILD ARG   VALUE   DESCRIPTION\nV           2       the version\n\nSECRET   REQUIRED\nkey",
  );
  const targets = await box.run(["build", "--call=targets,format=json", directory]);
  assertEquals(JSON.parse(targets.out).targets.map(({ name }: { name: string }) => name), [
    "one",
    "two",
  ]);
});

containerTest("on a terminal a build is redrawn, and Ctrl-C ends it", async (box) => {
  const directory = await context(box, {
    Dockerfile:
      "FROM busybox\nRUN echo first\nRUN printf 'evil \\033[2J\\033]0;title\\007 end\\n'; sleep 60\n",
  });
  await using terminal = new Terminal([launcher, "build", "-t", "never", directory], {
    env: { ...box.env, NO_COLOR: "1" },
    size: { rows: 20, columns: 70 },
  });
  await terminal.expect(/\[\+\] Building \d\.\ds \(\d\/\d\) +dhow/);
  await terminal.expect(/ => \[2\/3\] RUN echo first +\d\.\ds/);
  await terminal.expect(/ => => # evil {2}?end/);
  await terminal.type("\x03");
  assertEquals(await terminal.exitCode(), 130);
  await terminal.expect(/ERROR: failed to build: failed to solve: Canceled/);
  // deno-lint-ignore no-control-regex
  assertEquals(/\x1b\[2J|\x1b\]0/.test(terminal.text), false);
  // The cursor is shown again.
  assert(terminal.text.lastIndexOf("\x1b[?25h") > terminal.text.lastIndexOf("\x1b[?25l"));
  assertEquals((await box.run(["image", "inspect", "never"])).code, 1);
});

containerTest("build -f build.ts builds what a TypeScript module exports", async (box) => {
  const script = `import { image } from "dhow";
import { WHO } from "names";
console.log("the module speaks");
export default async () => image("busybox").label({ who: WHO }).copy("a.txt", "/a.txt").cmd(["cat", "/a.txt"]);
`;
  const directory = await context(box, {
    "a.txt": "hi\n",
    "build.ts": script,
    "deno.jsonc": '{ /* names */ "imports": { "names": "./names.ts" }, }',
    "names.ts": 'export const WHO = "module";\n',
    "wrong.ts": "export default 3;\n",
    "Dockerfile.ts": script,
    "broken.ts": 'throw new Error("not today");\n',
  });
  const { code, out, err } = await box.run(
    ["build", "-t", "made", "-f", `${directory}/build.ts`, directory],
  );
  assertEquals([code, out], [0, ""], err);
  assertStringIncludes(err, "the module speaks");
  await assertMade(box, "made", "module");
  for (
    const [name, why] of [["wrong", "the default export must be an image"], ["broken", "not today"]]
  ) {
    const failed = await box.run(["build", "-f", `${directory}/${name}.ts`, directory]);
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.err, why!);
  }
});

containerTest("builder prune removes what no image needs, after asking", async (box) => {
  const directory = await context(box);
  const steps = async () => {
    const { err } = await box.run(["build", "--progress", "plain", directory]);
    return (err.match(/^#\d+ CACHED/gm) ?? []).length;
  };
  await steps();
  const all = await steps();
  assertMatch(
    await box.ok("builder", "du"),
    /^ID +RECLAIMABLE +SIZE +LAST ACCESSED\n[^]*\nTotal:\t\t\d/,
  );
  assertStringIncludes(await box.ok("builder", "du", "--verbose"), "COPY a.txt /a.txt");
  assertMatch(await box.ok("system", "df", "-v"), /\n[\da-f]{12} +regular +/);
  const asked = await box.run(["builder", "prune"], { stdin: "n\n" });
  assertStringIncludes(asked.out, "WARNING! This will remove all dangling build cache.");
  assertEquals(await steps(), all);
  assertMatch(await box.ok("builder", "prune", "-af"), /Total reclaimed space: /);
  assert(await steps() < all);
});
