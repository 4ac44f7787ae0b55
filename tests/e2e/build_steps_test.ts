// What a build's steps do: run, copy, mount; and what they must not do.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeTarEntry } from "../../core/layer/tar_writer.ts";
import { Project } from "../helpers/project.ts";
import { containerTest, type Sandbox } from "../helpers/sandbox.ts";

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}

/** Whether any file of the store holds `text`. */
async function isInStore(box: Sandbox, text: string): Promise<boolean> {
  const { code } = await new Deno.Command("grep", {
    args: ["-rqF", "--", text, box.root],
    stderr: "null",
  }).output();
  return code === 0;
}

containerTest("a RUN sees its secret, and nobody else ever does", async (box) => {
  const word = `secret-${crypto.randomUUID()}`;
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
RUN --mount=type=secret,id=one,target=/new/dir/one cat /new/dir/one | wc -c > /length
RUN --mount=type=secret,id=one,env=WORD test -n "$WORD" && stat -c %a:%u:%g /run/secrets/one 2>/dev/null || true
RUN --mount=type=secret,id=one,mode=0444,uid=7 stat -c %a:%u:%g /run/secrets/one > /looks
RUN test ! -e /new && test ! -e /run/secrets && test -z "$WORD"
`,
    secret: word,
  });
  await project.write("../secret", word);
  const secret = `id=one,src=${box.directory}/secret`;
  await project.builds("app", "--secret", secret);
  assertEquals(
    await box.runs("--rm", "app", "cat", "/length", "/looks"),
    `${word.length}\n444:7:0`,
  );
  assertEquals(await isInStore(box, word), false);
  assertEquals((await box.ok("history", "--no-trunc", "app")).includes(word), false);
  // Another secret is no reason to do anything again.
  await Deno.writeTextFile(`${box.directory}/secret`, "another");
  const again = await project.builds("app", "--secret", secret);
  assertEquals(again.match(/CACHED/g)?.length, 5);
  const { code, err } = await project.build("app", ["--no-cache"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "exit code");
});

containerTest("a secret that must be given is missed by name", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nRUN --mount=type=secret,id=key,required=true true\n",
  });
  const { code, err } = await project.build("app");
  assertEquals(code, 1);
  assertStringIncludes(err, "secret key: not found");
});

containerTest("a RUN that fails shows what it wrote, and leaves nothing", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nRUN echo done > /first\nRUN echo out; echo err >&2; exit 7\n",
  });
  const { code, err } = await project.build("app");
  assertEquals(code, 1);
  const command = "/bin/sh -c echo out; echo err >&2; exit 7";
  assertStringIncludes(err, `process "${command}" did not complete successfully: exit code: 7`);
  assertMatch(err, /Dockerfile:3/);
  assertMatch(err, /\bout\b[^]*\berr\b/);
  assertEquals((await box.dhow("image", "inspect", "app")).code, 1);
  // The step before it was done, and stays so.
  assertStringIncludes((await project.build("app")).err, "CACHED");
});

containerTest("links of an image lead COPY, ADD and WORKDIR nowhere out of it", async (box) => {
  const victim = `${box.directory}/victim`;
  await Deno.mkdir(victim);
  await Deno.writeTextFile(`${victim}/file`, "whole");
  const up = "../".repeat(20);
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
RUN ln -s ${up}${victim} /relative && ln -s ${victim} /absolute && ln -s / /root-link
COPY hostile /relative/
COPY hostile /absolute/file
ADD hostile.tar /absolute
WORKDIR /relative/made
COPY hostile /root-link/at-root
RUN test -f ${victim}/hostile && test -d ${victim}/made && test -f /at-root
`,
    hostile: "hostile",
  });
  const tar = await new Deno.Command("tar", {
    args: ["-C", project.directory, "-cf", "-", "hostile"],
  }).output();
  await project.write("hostile.tar", tar.stdout);
  await project.builds("app");
  assertEquals(await namesIn(victim), ["file"]);
  assertEquals(await Deno.readTextFile(`${victim}/file`), "whole");
});

containerTest("links of a context lead nowhere out of it", async (box) => {
  await Deno.writeTextFile(`${box.directory}/outside`, "outside");
  for (const target of ["../outside", `${box.directory}/outside`, "/etc/hostname"]) {
    const project = await Project.make(box, { Dockerfile: "FROM busybox\nCOPY link /copied\n" });
    await Deno.symlink(target, `${project.directory}/link`);
    const { code, err } = await project.build("app");
    assertEquals(code, 1, target);
    assertStringIncludes(err, `"/link": not found`);
  }
  const inside = await Project.make(box, {
    Dockerfile: "FROM busybox\nCOPY link all/ /copied/\n",
    file: "inside",
    "all/file": "",
  });
  await Deno.symlink("/file", `${inside.directory}/link`);
  await Deno.symlink("/etc/hostname", `${inside.directory}/all/stays-a-link`);
  await inside.builds("app");
  const shown = await box.runs(
    "--rm",
    "app",
    "sh",
    "-c",
    "cat /copied/link; readlink /copied/stays-a-link",
  );
  assertEquals(shown, "inside/etc/hostname");
});

containerTest("an archive that leads out of its directory is refused; a bomb, too", async (box) => {
  const project = await Project.make(box, { Dockerfile: "FROM busybox\nADD a.tar /into/\n" });
  const { stdout } = await new Deno.Command("tar", {
    args: ["-P", "-cf", "-", "--transform", "s,.*,../../escaped,", "/etc/hostname"],
    stderr: "null",
  }).output();
  await project.write("a.tar", stdout);
  const { code, err } = await project.build("app");
  assertEquals(code, 1);
  assertStringIncludes(err, "leads out of the root");
  await project.write("Dockerfile", "FROM busybox\nADD bomb.tar.gz /into/\n");
  // A header that promises 4 GiB; 1.2 GiB of zeros follow, which compress to a thousandth.
  const header = encodeTarEntry({
    kind: "file",
    path: "zeros",
    linkPath: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    userName: "",
    groupName: "",
    sizeBytes: 4 * 2 ** 30,
    mtime: { seconds: 0, nanoseconds: 0 },
    major: 0,
    minor: 0,
  });
  const gzip = new CompressionStream("gzip");
  const packed = new Response(gzip.readable).bytes();
  const writer = gzip.writable.getWriter();
  await writer.write(header);
  const zeros = new Uint8Array(1 << 20);
  for (let i = 0; i < 1200; i++) await writer.write(zeros);
  await writer.close();
  await project.write("bomb.tar.gz", await packed);
  const bombed = await project.build("app");
  assertEquals(bombed.code, 1);
  assertStringIncludes(bombed.err, "out of proportion");
});

containerTest("COPY takes what the Dockerfile says, looking as it says", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox AS made
RUN mkdir -p /out/sub && echo built > /out/sub/file && ln /out/sub/file /out/hard \\
 && chown 5:6 /out/sub/file && chmod 4711 /out/sub/file && rm /bin/vi
FROM busybox
COPY --from=made /out /from-stage
COPY --chown=1:2 --chmod=640 plain /looks
COPY tree renamed/
COPY *.txt /texts/
COPY --parents tree/./deep/file /parents/
COPY --exclude=*.log tree /excluded
COPY <<inline /inline
text of $HOSTNAME
inline
`,
    ".dockerignore": "*.secret\ntree/ignored\n",
    plain: "plain",
    "one.txt": "1",
    "two.txt": "2",
    "a.secret": "never",
    "tree/deep/file": "deep",
    "tree/a.log": "log",
    "tree/ignored": "never",
  });
  await project.builds("app");
  const script = `stat -c '%n %a %u:%g %h' /from-stage/hard /from-stage/sub/file /looks
    find /renamed /texts /parents /excluded | sort; cat /inline; ls /bin/vi`;
  assertEquals(
    (await box.runs("--rm", "app", "sh", "-c", script)).split("\n").map((line) => line.trim()),
    `/from-stage/hard 4711 5:6 2
/from-stage/sub/file 4711 5:6 2
/looks 640 1:2 1
/excluded
/excluded/deep
/excluded/deep/file
/parents
/parents/deep
/parents/deep/file
/renamed
/renamed/a.log
/renamed/deep
/renamed/deep/file
/texts
/texts/one.txt
/texts/two.txt
text of
/bin/vi`.split("\n"),
  );
});

containerTest(
  "RUN mounts caches, contexts and stages, and leaves no trace of them",
  async (box) => {
    const project = await Project.make(box, {
      Dockerfile: `FROM busybox AS made
RUN mkdir /out && echo built > /out/file
FROM busybox
ARG TURN
RUN --mount=type=cache,id=turns,target=/cache echo $TURN >> /cache/turns && cp /cache/turns /turns
RUN --mount=type=cache,target=/private,uid=5,gid=6,mode=0700 stat -c %a:%u:%g /private > /looks
RUN --mount=target=/context --mount=from=made,source=/out,target=/stage \\
 cat /context/seen /stage/file > /read && ! touch /context/new && ! touch /stage/new \\
 && test ! -e /context/hidden
RUN --mount=target=/context,rw touch /context/seen /context/new
RUN --mount=type=tmpfs,target=/small,size=4k ! head -c 9000 /dev/zero > /small/file
RUN ls -d /cache /private /context /stage /small /run /new 2>/dev/null > /left || true
RUN --network=none ip addr | grep -c eth0 > /links || true
`,
      ".dockerignore": "hidden",
      seen: "seen\n",
      hidden: "hidden",
    });
    await project.builds("app", "--build-arg", "TURN=1");
    await project.builds("app", "--build-arg", "TURN=2");
    assertEquals(
      await box.runs("--rm", "app", "cat", "/turns", "/looks", "/read", "/left", "/links"),
      "1\n2\n700:5:6\nseen\nbuilt\n0",
    );
    assertEquals(await namesIn(project.directory), [
      ".dockerignore",
      "Dockerfile",
      "hidden",
      "seen",
    ]);
    await box.ok("builder", "prune", "-af");
    await project.builds("app", "--build-arg", "TURN=3");
    assertEquals(await box.runs("--rm", "app", "cat", "/turns"), "3");
  },
);

containerTest("the history is told in docker's words", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
COPY --chown=1000:0 --chmod=640 a.txt /nb
COPY --link a.txt /l
COPY --from=busybox /bin/busybox /copied
COPY <<one <<two /t/
1
one
2
two
RUN <<EOF
echo hi
echo ho
EOF
RUN cat <<EOF > /x
text
EOF
RUN --network=none --mount=type=tmpfs,target=/q true
RUN ["echo","a b"]
ADD --chown=1 dir /d
ENV X=1
COPY $X* a.txt /y/
ARG Q
ARG W=1 E=2
RUN true
USER 65534
WORKDIR /
WORKDIR rel
SHELL ["/bin/ash", "-e", "-c"]
CMD x y
`,
    "a.txt": "a",
    "dir/file": "",
  });
  await project.builds("app");
  const format = "{{.CreatedBy}}|{{.Comment}}";
  const history = await box.ok("history", "--no-trunc", "--format", format, "app");
  // As docker 28 with BuildKit shows them.
  const words = [
    'CMD ["/bin/ash" "-e" "-c" "x y"]',
    "SHELL [/bin/ash -e -c]",
    "WORKDIR /rel",
    "WORKDIR /",
    "USER 65534",
    "RUN |3 Q= W=1 E=2 /bin/sh -c true # buildkit",
    "ARG W=1 E=2",
    "ARG Q",
    "COPY 1* a.txt /y/ # buildkit",
    "ENV X=1",
    "ADD --chown=1 dir /d # buildkit",
    "RUN echo a b # buildkit",
    "RUN /bin/sh -c true # buildkit",
    "RUN /bin/sh -c cat <<EOF > /x\ntext\nEOF # buildkit",
    "RUN /bin/sh -c echo hi\necho ho\n # buildkit",
    "COPY <<one <<two /t/ # buildkit",
    "COPY /bin/busybox /copied # buildkit",
    "COPY a.txt /l # buildkit",
    "COPY --chown=1000:0 --chmod=640 a.txt /nb # buildkit",
  ];
  const own = words.map((line) => `${line}|buildkit.dockerfile.v0`).join("\n");
  assertStringIncludes(history, own);
});

containerTest("files of a stage of several layers come where they are to be", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox AS first
RUN echo ahoy > /greeting && mkdir -p /d/e && echo deep > /d/e/f
FROM busybox
COPY --from=first /greeting /etc/motd
COPY --from=first /d /usr/share/d
WORKDIR /usr/share
COPY --from=first /greeting new/dir/
`,
  });
  await project.builds("app");
  const files = ["/etc/motd", "/usr/share/d/e/f", "/usr/share/new/dir/greeting"];
  assertEquals(await box.runs("--rm", "app", "cat", ...files), "ahoy\ndeep\nahoy");
});
