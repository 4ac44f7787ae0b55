/**
 * `push` and `pull` between two stores over a real sshd: only what is missing travels, and a stranger at the other end is
 * not believed.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { containerTest, launcher, Sandbox } from "../helpers/sandbox.ts";
import { hasSshd, SshServer } from "../helpers/sshd.ts";

const canTest = hasSshd() || Deno.env.get("DHOW_MUST_WORK") === "1";

containerTest(
  "push and pull over ssh: only missing blobs travel; digests, names and configs stay",
  async (box) => {
    if (!canTest) return;
    await using there = await Sandbox.open();
    await using link = await Link.open(box, there);
    await box.runs("--name", "one", "busybox", "sh", "-c", "echo new > /new");
    await box.ok("commit", "-m", "one file", "one", "mine:1");
    // The other side has busybox: the layer of the commit alone travels.
    const pushed = await link.dhow("push", link.address("mine:1"));
    assertMatch(
      pushed.out,
      /^[0-9a-f]{12}: Layer already exists\n([0-9a-f]{12}): Waiting\n\1: Pushed\nmine:1$/,
    );
    assertEquals(await there.runs("--rm", "mine:1", "cat", "/new"), "new");
    for (const format of ["{{.Id}}", "{{json .RootFS}}", "{{json .Config}}"]) {
      const [ours, theirs] = await Promise.all(
        [box, there].map((one) => one.ok("image", "inspect", "-f", format, "mine:1")),
      );
      assertEquals(theirs, ours);
    }
    assertEquals(manifestOf(there, "mine:1"), manifestOf(box, "mine:1"));
    await there.ok("tag", "mine:1", "theirs:2");
    await box.ok("rm", "one");
    await box.ok("rmi", "mine:1");
    const pulled = await link.dhow("pull", "-q", link.address("theirs:2"));
    assertEquals(pulled, { code: 0, out: "theirs:2", err: "" });
    assertEquals(await box.runs("--rm", "theirs:2", "cat", "/new"), "new");
    const again = await link.dhow("pull", link.address("theirs:2"));
    assertEquals(again.out.split("\n").filter((line) => !line.endsWith("Already exists")), [
      "theirs:2",
    ]);
  },
);

containerTest("over ssh: clear errors for what is not there", async (box) => {
  if (!canTest) return;
  await using there = await Sandbox.open();
  await using link = await Link.open(box, there);
  const missing = await link.dhow("pull", link.address("nobody"));
  assertEquals(missing, {
    code: 1,
    out: "",
    err: "The other side says: No such image: docker.io/library/nobody:latest",
  });
  assertEquals(
    (await link.dhow("push", link.address("nobody"))).err,
    "No such image: docker.io/library/nobody:latest",
  );
  const program = await link.dhow("pull", "--remote-dhow", "/no/dhow", link.address("busybox"));
  assertMatch(program.err, /Cannot run "\/no\/dhow" on "127.0.0.1"; install dhow there/);
  const noise = await link.dhow("pull", "--remote-dhow", "/bin/echo", link.address("busybox"));
  assertMatch(noise.err, /does not talk as dhow does: it sent "__tra\.\.\."/);
  const option = await link.dhow("pull", "ssh://-oProxyCommand=x/busybox");
  assertMatch(option.err, /invalid address/);
});

containerTest("over ssh: another side that lies loses", async (box) => {
  if (!canTest) return;
  await using there = await Sandbox.open();
  await using link = await Link.open(box, there);
  const before = await box.ok("images", "-aq");
  for (const [lie, answer] of LIES) {
    const script = `${box.directory}/liar.ts`;
    await Deno.writeTextFile(script, liar(lie));
    const wrapper = `${box.directory}/liar`;
    const run = `exec '${Deno.execPath()}' run -A --no-config --no-lock '${script}'\n`;
    await Deno.writeTextFile(wrapper, `#!/bin/sh\n${run}`, { mode: 0o755 });
    const result = await link.dhow("pull", "--remote-dhow", wrapper, link.address("busybox"));
    assertEquals(result.code, 1);
    assertMatch(result.err, answer);
    assertEquals(await box.ok("images", "-aq"), before);
  }
});

const BROKEN_OFF = `offer(1 << 30); data("1");`;

/** What the liar sends after the greeting, as JSON messages and data. */
const LIES: [string, RegExp][] = [
  [`message({ images: 7 });`, /list of images is wrong/],
  [
    `message({ images: [{ manifest: { mediaType: "m", digest: "sha256:../../x", size: 1 }, config: 1, layers: [], references: [] }] });`,
    /a descriptor is wrong/,
  ],
  [
    `offer(5); data("12345");`,
    /its digest is sha256:5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5 instead of/,
  ],
  [`offer(5); data("123456789");`, /sent more or less of blob/],
  [BROKEN_OFF, /connection to the other dhow broke off/],
  [`raw(new Uint8Array([0x4a, 255, 255, 255, 255]));`, /a frame too long/],
  [`message({ error: { code: "x", message: "\\u001b[31mno" } });`, /^The other side says: no$/],
];

function liar(lie: string): string {
  return `
    const raw = (bytes) => { for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at)); };
    const frame = (kind, bytes) => {
      const whole = new Uint8Array(5 + bytes.length);
      whole[0] = kind.charCodeAt(0);
      new DataView(whole.buffer).setUint32(1, bytes.length);
      whole.set(bytes, 5);
      raw(whole);
    };
    const encode = (text) => new TextEncoder().encode(text);
    const message = (value) => frame("J", encode(JSON.stringify(value)));
    const data = (text) => frame("D", encode(text));
    const digest = "sha256:" + "ab".repeat(32);
    const offer = (size) => message({ images: [{
      manifest: { mediaType: "m", digest, size: 5 }, config: { mediaType: "c", digest, size: 5 },
      layers: [{ mediaType: "l", digest: "sha256:" + "cd".repeat(32), size }], references: ["docker.io/library/busybox:latest"],
    }] });
    const request = new Uint8Array(65536);
    Deno.stdin.readSync(request);
    ${lie}
    // Who leaves while the other still writes is one that broke off, whatever else was wrong.
    while (${lie !== BROKEN_OFF} && Deno.stdin.readSync(request) !== null);
  `;
}

/** A way from one store to another. */
class Link implements AsyncDisposable {
  readonly #box: Sandbox;
  readonly #server: SshServer;
  readonly #env: Record<string, string>;

  private constructor(box: Sandbox, server: SshServer, env: Record<string, string>) {
    this.#box = box;
    this.#server = server;
    this.#env = env;
  }

  static async open(box: Sandbox, there: Sandbox): Promise<Link> {
    const directory = `${box.directory}/ssh`;
    await Deno.mkdir(directory);
    const server = await SshServer.start(directory);
    const remote = `${directory}/dhow there`;
    const variables = ["XDG_RUNTIME_DIR", "DENO_DIR", "PATH", "HOME"].flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [`export ${name}='${value}'\n`];
    });
    await Deno.writeTextFile(
      remote,
      `#!/bin/sh\n${variables.join("")}DHOW_ROOT='${there.root}' exec '${launcher}' "$@"\n`,
      { mode: 0o755 },
    );
    return new Link(box, server, { DHOW_SSH: server.ssh, DHOW_REMOTE: remote });
  }

  address(reference: string): string {
    return `ssh://127.0.0.1:${this.#server.port}/${reference}`;
  }

  dhow(...args: string[]): ReturnType<Sandbox["run"]> {
    return this.#box.run(args, { env: this.#env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function manifestOf(box: Sandbox, name: string): string | undefined {
  const index = JSON.parse(Deno.readTextFileSync(`${box.root}/index.json`));
  const canonical = `docker.io/library/${name}`;
  return index.manifests.find((line: { annotations?: Record<string, string> }) =>
    line.annotations?.["org.opencontainers.image.ref.name"] === canonical
  )?.digest;
}
