/**
 * The kinds of work that the crash harness interrupts.
 *
 * @module
 */
import { findPlace } from "../../core/cgroup/place.ts";
import { startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { fileLayer } from "../helpers/layers.ts";
import { addGzipImage } from "../helpers/pulled.ts";
import type { Sandbox } from "../helpers/sandbox.ts";
import type { Kind } from "./harness.ts";

const EXIT_CODE = 7;
const MOMENT = ["busybox", "sh", "-c", `echo begin; sleep 0.05; echo end; exit ${EXIT_CODE}`];

/** Some limit, where there are control groups to be had. */
const limited = findPlace("") === undefined ? [] : ["--pids-limit", "100"];

/** Runs in the foreground and background, with and without networks, ports and `--rm`. */
const run: Kind = {
  name: "run",
  spanMs: 250,
  client(round, index) {
    const name = ["--name", `run-${round}-${index}`];
    const none = ["--network", "none"];
    switch ((round + index) % 4) {
      case 0:
        return { args: ["run", "--rm", ...none, ...limited, ...MOMENT], codes: [EXIT_CODE] };
      case 1:
        return { args: ["run", ...name, ...MOMENT], codes: [EXIT_CODE] };
      case 2:
        return {
          args: [
            "run",
            "-d",
            ...name,
            "-p",
            "127.0.0.1::80",
            ...limited,
            "busybox",
            "sleep",
            "1000",
          ],
        };
      default:
        return { args: ["run", "-d", "--rm", "-v", "/data", ...none, ...MOMENT] };
    }
  },
  async check(box, round) {
    // Who comes later does not notice.
    const { code, out, err } = await box.dhow("run", "--rm", ...MOMENT);
    return code === EXIT_CODE && out === "begin\nend" ? [] : [`the next run, ${round}: ${err}`];
  },
};

let registryHost = "";

/** Several pulls of images that share a layer. */
const pull: Kind = {
  name: "pull",
  spanMs: 300,
  async open() {
    const registry = startFaultyRegistry();
    const shared = fileLayer("shared", 500_000);
    for (const tag of ["0", "1"]) {
      await addGzipImage(registry, "app", tag, shared, fileLayer("own", 1_000_000));
    }
    registryHost = registry.host;
    return registry;
  },
  async prepare(box) {
    const ids = (await box.ok("images", "-q", `${registryHost}/app`)).split("\n");
    if (ids[0] !== "") await box.ok("rmi", "-f", ...new Set(ids));
  },
  client(_round, index) {
    return { args: ["pull", "-q", `${registryHost}/app:${index % 2}`] };
  },
  async check(box) {
    return await failures(
      box,
      ["0", "1"].map((tag) => ["pull", "-q", `${registryHost}/app:${tag}`]),
    );
  },
};

/** Builds with RUN and COPY, two of them the same. */
const build: Kind = {
  name: "build",
  spanMs: 500,
  async open(box) {
    await Deno.mkdir(`${box.directory}/context`);
    const lines = [
      "FROM busybox",
      "ARG ROUND",
      "COPY . /context",
      "RUN --network=none echo $ROUND > /round; cat /context/file > /copied; sleep 0.05",
      "RUN --network=none rm /context/file",
    ];
    await Deno.writeTextFile(`${box.directory}/context/Dockerfile`, lines.join("\n") + "\n");
  },
  async prepare(box, round) {
    await Deno.writeTextFile(`${box.directory}/context/file`, `file of ${round}`);
    buildContext = `${box.directory}/context`;
  },
  client(round, index) {
    const value = `${round}.${Math.floor(index / 2)}`;
    const args = ["--build-arg", `ROUND=${value}`, "-t", `app-${index}`];
    return { args: ["build", "-q", ...args, buildContext] };
  },
  async check(box, round) {
    const again = await failures(box, [this.client(round, 0).args]);
    const cat = ["cat", "/round", "/copied"];
    const { out } = await box.dhow("run", "--rm", "--network", "none", "app-0", ...cat);
    if (out !== `${round}.0\nfile of ${round}`) again.push(`app-0 has ${JSON.stringify(out)}`);
    return again;
  },
};

let buildContext = "";

/** Commits of one container. */
const commit: Kind = {
  name: "commit",
  spanMs: 250,
  async prepare(box) {
    if ((await box.dhow("inspect", "changed")).code === 0) return;
    const write = "head -c 300000 /dev/urandom > /made; rm /etc/group";
    await box.runs("--name", "changed", "busybox", "sh", "-c", write);
  },
  client(round, index) {
    return { args: ["commit", "-m", `round ${round}`, "changed", `copy-${index}`] };
  },
  async check(box) {
    const again = await failures(box, [["commit", "changed", "copy-0"]]);
    const size = await box.dhow("run", "--rm", "--network", "none", "copy-0", "wc", "-c", "/made");
    if (size.out !== "300000 /made") again.push(`copy-0: ${size.out} ${size.err}`);
    return again;
  },
};

/** Removal of containers that run, ran, and have volumes; two clients take the same. */
const rm: Kind = {
  name: "rm",
  spanMs: 200,
  async prepare(box, round) {
    await Promise.all([0, 1].map((index) => {
      const name = ["--name", `old-${round}-${index}`, "-v", "/data"];
      return index === 0
        ? box.ok("run", "-d", ...name, "busybox", "sleep", "1000")
        : box.ok("create", ...name, "busybox", "true");
    }));
  },
  client(round, index) {
    // Whoever comes second may find it gone, or going.
    return { args: ["rm", "-fv", `old-${round}-${index % 2}`], codes: [0, 1] };
  },
  async check(box, round) {
    for (const index of [0, 1]) {
      const { code, err } = await box.dhow("rm", "-fv", `old-${round}-${index}`);
      if (code !== 0 && !err.includes("No such container")) return [`rm again: ${err}`];
    }
    const left = await box.ok("ps", "-aq", "--filter", `name=old-${round}-`);
    return left === "" ? [] : [`${left} is both removed and there`];
  },
};

/** Pruning while others run containers and make volumes. */
const prune: Kind = {
  name: "prune",
  spanMs: 250,
  async prepare(box, round) {
    await box.ok("create", "--network", "none", "-v", "/data", "busybox", "true");
    await box.ok("import", `${box.directory}/busybox.tar`);
    await box.ok("network", "create", `lone-${round}`);
  },
  client(round, index) {
    const volume = ["-v", `data-${round}:/data`];
    if (index % 3 === 2) {
      return {
        args: ["run", "--rm", "--network", "none", ...volume, ...MOMENT],
        // As with docker, a container that is made and not yet started may be pruned.
        codes: [EXIT_CODE, 125],
      };
    }
    return { args: ["system", "prune", "-f", "--volumes"], codes: [0, 1] };
  },
  async check(box) {
    const again = await failures(box, [["system", "prune", "-f", "--volumes"]]);
    const dangling = await box.ok("images", "-q", "--filter", "dangling=true");
    if (dangling !== "") again.push(`dangling images stay: ${dangling}`);
    const { code, err } = await box.dhow("run", "--rm", ...MOMENT);
    return code === EXIT_CODE ? again : [...again, `the next run: ${code} ${err}`];
  },
};

/** Networks made, connected, disconnected and removed under a running container. */
const network: Kind = {
  name: "network",
  spanMs: 250,
  async prepare(box, round) {
    await box.ok("network", "create", `net-${round}`);
    await box.ok("run", "-d", "--name", `on-${round}`, "busybox", "sleep", "1000");
  },
  client(round, index) {
    switch (index % 4) {
      case 0:
        // With more clients than kinds of work it may be connected already.
        return { args: ["network", "connect", `net-${round}`, `on-${round}`], codes: [0, 1] };
      case 1:
        return { args: ["network", "disconnect", "bridge", `on-${round}`], codes: [0, 1] };
      case 2:
        return {
          args: ["run", "--rm", "--network", `net-${round}`, ...MOMENT],
          codes: [EXIT_CODE],
        };
      default:
        return { args: ["network", "create", `other-${round}-${index}`] };
    }
  },
  async check(box, round) {
    // Those whose holder was killed can be connected when they are started again.
    if (await box.inspect(`on-${round}`, "{{.State.Running}}") === "true") {
      await box.ok("restart", "-t", "0", `on-${round}`);
    } else await box.ok("start", `on-${round}`);
    await box.dhow("network", "connect", `net-${round}`, `on-${round}`);
    const lookup = ["busybox", "nslookup", `on-${round}`];
    const { code, out, err } = await box.dhow(
      "run",
      "--rm",
      "--network",
      `net-${round}`,
      ...lookup,
    );
    const findings = code === 0 ? [] : [`it is not found by its name: ${out} ${err}`];
    await box.dhow("rm", "-f", `on-${round}`);
    const removed = await box.dhow("network", "rm", `net-${round}`);
    return removed.code === 0 ? findings : [...findings, `network rm: ${removed.err}`];
  },
};

/** All kinds. */
export const KINDS: readonly Kind[] = [run, pull, build, commit, rm, prune, network];

/** Runs commands that must succeed; says which do not. */
async function failures(box: Sandbox, commands: readonly string[][]): Promise<string[]> {
  const findings: string[] = [];
  for (const args of commands) {
    const { code, err } = await box.dhow(...args);
    if (code !== 0) findings.push(`afterwards "${args.join(" ")}" ended with ${code}: ${err}`);
  }
  return findings;
}
