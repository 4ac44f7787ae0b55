// What a build does again and what it need not; what of it stays, whatever ends it.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Project } from "../helpers/project.ts";
import { containerTest, eventually, kill, Sandbox } from "../helpers/sandbox.ts";

const IMAGE_ID = "{{.Id}}";

/** Names of steps that were not found in the cache. */
function doneSteps(output: string): string[] {
  const names = new Map<string, string>();
  const cached = new Set<string>();
  for (const line of output.split("\n")) {
    const [, number, rest] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (number === undefined || rest === undefined) continue;
    const step = /^\[(?:\S+ +)?\d+\/\d+\] (\w+ .*)$/.exec(rest);
    if (step !== null) names.set(number, step[1]!);
    if (rest === "CACHED") cached.add(number);
  }
  return [...names].filter(([number]) => !cached.has(number)).map(([, name]) => name);
}

/** What is in the store and belongs to nobody. */
function leftovers(box: Sandbox): string[] {
  const found: string[] = [];
  for (const { name: mapping, isDirectory } of Deno.readDirSync(`${box.root}/layers`)) {
    if (!isDirectory) continue;
    for (const { name } of Deno.readDirSync(`${box.root}/layers/${mapping}`)) {
      if (name.startsWith(".tmp-")) found.push(name);
    }
  }
  return found;
}

containerTest("only what has changed is done again", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
ARG USED
ARG UNUSED
LABEL version=1
RUN echo "$USED" > /used
COPY first /first
WORKDIR /made
RUN cat /first > copy
COPY second /second
`,
    ".dockerignore": "ignored\n",
    first: "1",
    second: "2",
    ignored: "",
  });
  const steps = async (...args: string[]) => doneSteps(await project.builds("app", ...args));
  const all = [
    'RUN echo "$USED" > /used',
    "COPY first /first",
    "WORKDIR /made",
    "RUN cat /first > copy",
    "COPY second /second",
  ];
  assertEquals(await steps(), all);
  const id = await box.inspect("app", IMAGE_ID);
  assertEquals(await steps(), []);
  assertEquals(await box.inspect("app", IMAGE_ID), id);
  // Neither times nor what is ignored count; content and permissions do.
  await Deno.utime(`${project.directory}/first`, 1, 1);
  await project.write("ignored", "other");
  assertEquals(await steps(), []);
  await project.write("second", "22");
  assertEquals(await steps(), ["COPY second /second"]);
  await Deno.chmod(`${project.directory}/first`, 0o755);
  assertEquals(await steps(), all.slice(1));
  const used = all.slice(0, 1);
  assertEquals((await steps("--build-arg", "USED=1")).slice(0, 1), used);
  const text = await Deno.readTextFile(`${project.directory}/Dockerfile`);
  await project.write("Dockerfile", text.replace("version=1", "version=2"));
  assertEquals(await steps("--build-arg", "USED=1"), []);
  assertEquals(await steps("--build-arg", "USED=1", "--no-cache"), all);
});

containerTest("a stage that is built again reaches those that copy from it", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox AS one
RUN cat /proc/sys/kernel/random/uuid > /id
FROM busybox
COPY --from=one /id /id
`,
  });
  await project.builds("app");
  const first = await box.runs("--rm", "app", "cat", "/id");
  await project.builds("app", "--no-cache-filter", "one");
  const second = await box.runs("--rm", "app", "cat", "/id");
  assert(first !== second);
  await project.builds("app");
  assertEquals(await box.runs("--rm", "app", "cat", "/id"), second);
});

containerTest(
  "a stage that comes to the same when it is built again lets others be",
  async (box) => {
    const project = await Project.make(box, {
      Dockerfile: `FROM busybox AS made
COPY source note /src/
RUN mkdir /out && cat /src/source > /out/built && date > /log
FROM busybox
COPY --from=made /out /out
RUN cat /out/built > /copy
`,
      source: "source",
      note: "note",
    });
    await project.builds("app");
    const id = await box.inspect("app", IMAGE_ID);
    const first = [
      "COPY source note /src/",
      "RUN mkdir /out && cat /src/source > /out/built && date > /log",
    ];
    await project.write("note", "another note");
    assertEquals(doneSteps(await project.builds("app")), first);
    assertEquals(await box.inspect("app", IMAGE_ID), id);
    await project.write("source", "another source");
    assertEquals(doneSteps(await project.builds("app")).length, 4);
    assertEquals(await box.runs("--rm", "app", "cat", "/copy"), "another source");
  },
);

containerTest("the cache outlives its images, and goes when it is pruned", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nRUN head -c 100000 /dev/urandom > /random\n",
  });
  await project.builds("app");
  const id = await box.inspect("app", IMAGE_ID);
  await box.ok("rmi", "app");
  assertEquals(doneSteps(await project.builds("app")), []);
  assertEquals(await box.inspect("app", IMAGE_ID), id);
  // What an image is made of is no waste.
  await box.ok("builder", "prune", "-f");
  assertEquals(doneSteps(await project.builds("app")), []);
  await box.ok("builder", "prune", "-af");
  assertEquals(await box.runs("--rm", "app", "wc", "-c", "/random"), "100000 /random");
  await box.ok("rmi", "app");
  assertEquals(leftovers(box), []);
  assertEquals(doneSteps(await project.builds("app")).length, 1);
  await box.ok("rmi", "app");
  await box.ok("builder", "prune", "-f", "--keep-storage", "10MB");
  assertEquals(doneSteps(await project.builds("app")), []);
  await box.ok("rmi", "app");
  const layers = (await Array.fromAsync(Deno.readDir(`${box.root}/blobs/sha256`))).length;
  await box.ok("builder", "prune", "-f");
  const left = (await Array.fromAsync(Deno.readDir(`${box.root}/blobs/sha256`))).length;
  assertEquals(layers - left, 1);
});

containerTest(
  "stages that do not need each other are built at once; the others not at all",
  async (box) => {
    const stages = [1, 2, 3, 4, 5].map((n) =>
      `FROM busybox AS s${n}\nRUN sleep 2; echo ${n} > /${n}\n`
    );
    const copies = [1, 2, 3, 4, 5].map((n) => `COPY --from=s${n} /${n} /\n`);
    const project = await Project.make(box, {
      Dockerfile: `${stages.join("")}FROM busybox AS never\nRUN false\nFROM busybox\n${
        copies.join("")
      }`,
    });
    const start = performance.now();
    await project.builds("app");
    const seconds = (performance.now() - start) / 1000;
    assert(seconds < 8, `five times two seconds took ${seconds.toFixed(1)}`);
    assertEquals(
      await box.runs("--rm", "app", "cat", "/1", "/2", "/3", "/4", "/5"),
      "1\n2\n3\n4\n5",
    );
  },
);

containerTest("one stage that fails ends the others; what was done stays", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox AS slow
RUN echo quick > /quick
RUN sleep 100
FROM busybox
RUN sleep 1; false
COPY --from=slow /quick /quick
`,
  });
  const start = performance.now();
  const { code, err } = await project.build("app");
  assert(performance.now() - start < 20_000);
  assertEquals(code, 1);
  assertStringIncludes(err, "exit code: 1");
  assertStringIncludes(err, "CANCELED");
  assertEquals(
    doneSteps((await project.build("app")).err).includes("RUN echo quick > /quick"),
    false,
  );
  await eventually("all has ended", () => box.processes().length === 0);
});

containerTest("SIGINT ends a build; what was done stays", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nRUN echo done > /done\nRUN echo waiting; sleep 100\n",
  });
  const child = box.command(["build", "--progress", "plain", "-t", "app", project.directory])
    .spawn();
  await eventually(
    "the step runs",
    () => box.processes().some((line) => line.includes("sleep 100")),
  );
  child.kill("SIGINT");
  const { code } = await child.output();
  assert(code !== 0);
  await eventually("all has ended", () => box.processes().length === 0);
  assertEquals((await box.dhow("image", "inspect", "app")).code, 1);
  await project.write("Dockerfile", "FROM busybox\nRUN echo done > /done\n");
  assertEquals(doneSteps(await project.builds("app")), []);
});

containerTest(
  "a build that is killed takes its steps along, and leaves a store that works",
  async (box) => {
    box.crashed = true;
    const project = await Project.make(box, {
      Dockerfile: `FROM busybox
RUN echo done > /done
RUN --mount=type=cache,target=/cache,sharing=locked echo running; sleep 100
`,
    });
    const child = box.command(["build", "--progress", "plain", "-t", "app", project.directory])
      .spawn();
    await eventually(
      "the step runs",
      () => box.processes().some((line) => line.includes("sleep 100")),
    );
    kill(child.pid);
    await child.output();
    await eventually("all has ended", () => box.processes().length === 0);
    await project.write(
      "Dockerfile",
      "FROM busybox\nRUN --mount=type=cache,target=/cache,sharing=locked echo locked > /file\n",
    );
    await project.builds("app");
    assertEquals(await box.runs("--rm", "app", "cat", "/file"), "locked");
    await box.ok("rmi", "app");
    assertEquals(leftovers(box), []);
  },
);

containerTest("builds of the same at the same time make the same", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
COPY file /file
RUN --mount=type=cache,target=/cache,sharing=locked \\
 test ! -e /cache/busy && touch /cache/busy && sleep 1 && rm /cache/busy && echo ran > /ran
`,
    file: "file",
  });
  const names = ["one", "two", "three"];
  await Promise.all(names.map((name) => project.builds(name)));
  for (const name of names) {
    assertEquals(await box.runs("--rm", name, "cat", "/file", "/ran"), "fileran");
  }
  assertEquals(doneSteps(await project.builds("four")), []);
});

containerTest("with SOURCE_DATE_EPOCH an image is the same to the bit, anywhere", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox AS made
RUN mkdir /out && date > /out/when && rm /out/when && echo built > /out/file
FROM busybox
COPY --from=made /out /out
COPY file /new/directory/
WORKDIR /work
RUN echo text > file && rm /bin/vi
CMD ["cat", "/work/file"]
`,
    file: "file",
  });
  const ids: string[] = [];
  await using other = await Sandbox.open();
  for (const place of [box, other]) {
    // The same base, to the bit.
    await place.run(["load"], {
      stdin: new Uint8Array((await box.command(["save", "busybox"]).output()).stdout),
    });
    const words = ["build", "-t", "app", "--no-cache", project.directory];
    const { code, err } = await place.run(words, { env: { SOURCE_DATE_EPOCH: "1700000000" } });
    assertEquals(code, 0, err);
    ids.push(await place.inspect("app", IMAGE_ID));
    await new Promise((resolve) => setTimeout(resolve, 1100));
  }
  assertEquals(ids[0], ids[1]);
  assertEquals(await box.inspect("app", "{{.Created}}"), "2023-11-14T22:13:20Z");
});

containerTest("what a build has made is what other stores and registries get", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: `FROM busybox
RUN mkdir -p /d/sub && echo 1 > /d/one && echo 2 > /d/two && echo 3 > /d/sub/three
RUN rm -r /d/one /d/sub && mkdir /d/sub && echo 4 > /d/sub/four && ln /d/two /d/again
RUN rm -rf /d/sub
`,
  });
  await project.builds("app");
  const script = "find /d | sort; stat -c %h /d/two; ls /etc";
  const here = await box.runs("--rm", "app", "sh", "-c", script);
  assertStringIncludes(here, "/d\n/d/again\n/d/two\n2");
  await using other = await Sandbox.open();
  const { stdout } = await box.command(["save", "app"]).output();
  const loaded = await other.run(["load"], { stdin: new Uint8Array(stdout) });
  assertEquals(loaded.code, 0, loaded.err);
  assertEquals(await other.runs("--rm", "app", "sh", "-c", script), here);
});

containerTest("--squash makes one layer of what was built", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nRUN echo 1 > /one; rm /bin/vi\nRUN rm /one; echo 2 > /two\n",
  });
  await project.builds("app", "--squash");
  const layers = await box.inspect("app", "{{len .RootFS.Layers}}");
  assertEquals(Number(layers), Number(await box.inspect("busybox", "{{len .RootFS.Layers}}")) + 1);
  const script = "cat /two; test ! -e /one && test ! -e /bin/vi && echo gone";
  assertEquals(await box.runs("--rm", "app", "sh", "-c", script), "2\ngone");
});
