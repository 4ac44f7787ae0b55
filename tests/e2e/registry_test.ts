import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { refuse, startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { PASSWORD, registryTest, startRegistry, USERNAME } from "../helpers/registry.ts";
import { launcher, type Result } from "../helpers/sandbox.ts";
import { Terminal } from "../helpers/terminal.ts";

const AUTH = btoa(`${USERNAME}:${PASSWORD}`);

/** Somebody's home, with nothing in it. */
class Home implements AsyncDisposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "dhow-home-" });
  env: Record<string, string> = {
    HOME: this.path,
    DHOW_ROOT: `${this.path}/store`,
    XDG_CONFIG_HOME: `${this.path}/.config`,
    DOCKER_CONFIG: `${this.path}/.docker`,
    REGISTRY_AUTH_FILE: "",
    XDG_RUNTIME_DIR: this.path,
    // A home of its own must not mean a cache of its own.
    DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
    NO_COLOR: "1",
  };

  readonly config: string = `${this.path}/.docker/config.json`;

  async write(path: string, text: string, mode = 0o644): Promise<void> {
    const whole = `${this.path}/${path}`;
    await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(whole, text, { mode });
  }

  async readConfig(): Promise<Record<string, unknown>> {
    return JSON.parse(await Deno.readTextFile(this.config));
  }

  async dhow(args: readonly string[], stdin?: string): Promise<Result> {
    const child = new Deno.Command(launcher, {
      args: [...args],
      env: this.env,
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(stdin)).then(() => writer.close(), () => {});
    }
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code, out: text(stdout), err: text(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

registryTest(
  "login keeps what docker keeps, for nobody else to read, and logout forgets it",
  async () => {
    await using home = new Home();
    await using registry = await startRegistry({ htpasswd: true });
    const { host, url } = registry;
    await home.write(
      ".docker/config.json",
      '{"detachKeys":"ctrl-q","auths":{"x.example":{"auth":"YTpi"}}}',
    );
    const login = ["login", "-u", USERNAME, "--password-stdin", host];
    const wrong = await home.dhow(login, "wrong");
    assertEquals(wrong.err, `login attempt to ${url}/v2/ failed with status: 401 Unauthorized`);
    assertEquals([wrong.code, wrong.out], [1, ""]);

    const right = await home.dhow(login, PASSWORD + "\n");
    assertEquals([right.code, right.out], [0, "Login Succeeded"]);
    assertEquals(
      right.err,
      `WARNING! Your credentials are stored unencrypted in '${home.config}'.\n` +
        "Configure a credential helper to remove this warning. See\n" +
        "https://docs.docker.com/go/credential-store/",
    );
    assertEquals(await home.readConfig(), {
      detachKeys: "ctrl-q",
      auths: { "x.example": { auth: "YTpi" }, [host]: { auth: AUTH } },
    });
    assertEquals((await Deno.stat(home.config)).mode! & 0o777, 0o600);
    assertEquals((await Array.fromAsync(Deno.readDir(`${home.path}/.docker`))).length, 1);

    const again = await home.dhow(["login", host]);
    assertEquals(again.out, "Login Succeeded");
    assertStringIncludes(again.err, "existing credentials... [Username: dhow]");
    const none = await home.dhow(["manifest", "inspect", `${host}/x`]);
    assertEquals(none.err, `no such manifest: ${host}/x:latest`);

    assertEquals((await home.dhow(["logout", host])).out, `Removing login credentials for ${host}`);
    assertEquals((await home.readConfig())["auths"], { "x.example": { auth: "YTpi" } });
    const out = await home.dhow(["manifest", "inspect", `${host}/x`]);
    assertEquals(out.err, `Get "${url}/v2/x/manifests/latest": no basic auth credentials`);
    assertEquals(
      (await home.dhow(["login", host])).err,
      "Error: Cannot perform an interactive login from a non TTY device",
    );
  },
);

registryTest("login gives secrets to helpers through pipes, and reads them back", async () => {
  await using home = new Home();
  await using registry = await startRegistry({ htpasswd: true });
  const kept = `${home.path}/kept`;
  await home.write(
    "bin/docker-credential-fake",
    `#!/bin/sh
echo "$@" >>${kept}.calls
case $1 in
  store) cat >${kept} ;;
  get) [ -s ${kept} ] && exec cat ${kept}; echo "credentials not found in native keychain"; exit 1 ;;
  erase) rm -f ${kept} ;;
esac
`,
    0o755,
  );
  home.env["PATH"] = `${home.path}/bin:${Deno.env.get("PATH")}`;
  await home.write(".docker/config.json", '{"credsStore":"fake"}');
  const { host } = registry;
  const login = await home.dhow(["login", "-u", USERNAME, "--password-stdin", host], PASSWORD);
  assertEquals([login.out, login.err], ["Login Succeeded", ""]);
  assertEquals(await home.readConfig(), { credsStore: "fake", auths: { [host]: {} } });
  assertEquals(JSON.parse(await Deno.readTextFile(kept)), {
    ServerURL: host,
    Username: USERNAME,
    Secret: PASSWORD,
  });
  const none = await home.dhow(["manifest", "inspect", `${host}/x`]);
  assertEquals(none.err, `no such manifest: ${host}/x:latest`);
  await home.dhow(["logout", host]);
  assertEquals(await Deno.stat(kept).catch(() => undefined), undefined);
  assertEquals(await Deno.readTextFile(`${kept}.calls`), "store\nget\nerase\n");
  await home.write(".docker/config.json", '{"credsStore":"nowhere"}');
  assertStringIncludes(
    (await home.dhow(["manifest", "inspect", `${host}/x`])).err,
    'exec: "docker-credential-nowhere": executable file not found in $PATH',
  );
});

registryTest("login keeps a refresh token rather than the password", async () => {
  await using home = new Home();
  await using registry = await startRegistry({ token: true });
  registry.tokens!.refreshToken = "r3fresh";
  const { host } = registry;
  await home.dhow(["login", "-u", USERNAME, "--password-stdin", host], PASSWORD);
  assertEquals(await home.readConfig(), { auths: { [host]: { identitytoken: "r3fresh" } } });
  const none = await home.dhow(["manifest", "inspect", `${host}/private/x`]);
  assertEquals(none.err, `no such manifest: ${host}/private/x:latest`);
  assertEquals(registry.tokens!.calls.at(-1)!.grant, "refresh_token");
});

registryTest("login shows nothing of a typed password", async () => {
  await using home = new Home();
  await using registry = await startRegistry({ htpasswd: true });
  await using terminal = new Terminal([launcher, "login", registry.host], { env: home.env });
  await terminal.expect(/Username: /);
  await terminal.type(`${USERNAME}\n`);
  await terminal.expect(/Password: /);
  await terminal.type(`${PASSWORD}\n`);
  await terminal.expect(/Login Succeeded/);
  assertEquals(terminal.text.includes("s3cret"), false);
  assertEquals(terminal.text.includes(USERNAME), true);
});

Deno.test("login leaves a terminal that shows what is typed, also after Ctrl-C", async () => {
  await using home = new Home();
  const script = 'trap : INT; "$0" login -u a x.invalid; echo "status $?"; stty -a';
  await using terminal = new Terminal(["sh", "-c", script, launcher], { env: home.env });
  await terminal.expect(/Password: /);
  await terminal.type("half\x03");
  await terminal.expect(/status 130/);
  await terminal.expect(/ echo /);
  assertEquals(terminal.text.includes("half"), false);
});

registryTest("credentials of podman's auth.json count, also those of a namespace", async () => {
  await using home = new Home();
  await using registry = await startRegistry({ htpasswd: true });
  const { host } = registry;
  await home.write(
    "containers/auth.json",
    JSON.stringify({ auths: { [host]: { auth: btoa("x:y") }, [`${host}/team`]: { auth: AUTH } } }),
  );
  const none = await home.dhow(["manifest", "inspect", `${host}/team/x`]);
  assertEquals(none.err, `no such manifest: ${host}/team/x:latest`);
  const other = await home.dhow(["manifest", "inspect", `${host}/other/x`]);
  assertEquals(other.err, "unauthorized: authentication required");
  await home.write(".docker/config.json", '{"auths": {"x": "s3cret');
  const broken = await home.dhow(["manifest", "inspect", `${host}/team/x`]);
  assertEquals(broken.err, `Cannot read credentials in "${home.config}": it is no JSON`);
});

Deno.test("manifest inspect prints manifests as they are, and lists as docker does", async () => {
  await using home = new Home();
  await using registry = startFaultyRegistry();
  const { digest, config } = await registry.addImage("x", "1", [new TextEncoder().encode("layer")]);
  const bytes = registry.manifests.get("x:1")!.bytes;
  const platform = { architecture: "amd64", os: "linux" };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const list = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ mediaType, digest, size: bytes.length, platform, annotations: { a: "b" } }],
  };
  await registry.addManifest("x", "all", list, list.mediaType);
  const ref = `${registry.host}/x`;
  const one = await home.dhow(["manifest", "inspect", `${ref}:1`]);
  assertEquals(
    one.out,
    JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), undefined, "\t"),
  );
  const all = await home.dhow(["manifest", "inspect", `${ref}:all`]);
  const short = { mediaType, size: bytes.length, digest, platform };
  assertEquals(all.out, JSON.stringify({ ...list, manifests: [short] }, undefined, 3));
  const verbose = JSON.parse((await home.dhow(["manifest", "inspect", "-v", `${ref}:all`])).out);
  assertEquals(verbose[0].Ref, `${ref}:all@${digest}`);
  assertEquals(verbose[0].Descriptor, { mediaType, digest, size: bytes.length, platform });
  assertEquals(Uint8Array.fromBase64(verbose[0].Raw), bytes);
  assertEquals(verbose[0].OCIManifest.config.digest, config);
});

Deno.test("search shows what strangers wrote, but does not do it", async () => {
  await using home = new Home();
  await using registry = startFaultyRegistry(({ path }) =>
    path !== "/v1/search" ? undefined : Response.json({
      results: [
        {
          name: "a/\x1b]0;owned\x07x",
          description: "red \x1b[31m\nline",
          star_count: 7,
          is_official: true,
        },
        { name: "b\u202e/x", description: null, star_count: "many" },
        { description: "nameless" },
      ],
    })
  );
  const found = await home.dhow(["search", `${registry.host}/x`]);
  assertEquals(found.out.split("\n").map((line) => line.trim().split(/ {3,}/)), [
    ["NAME", "DESCRIPTION", "STARS", "OFFICIAL"],
    ["a/x", "red  line", "7", "[OK]"],
    ["b/x", "0"],
  ]);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(found.out), false);
  const starred = await home.dhow([
    "search",
    "-f",
    "stars=5",
    "--format",
    "{{.Name}}",
    `${registry.host}/x`,
  ]);
  assertEquals(starred.out, "a/x");
  registry.hook = ({ path }) => path === "/v1/search" ? refuse(404, "NOT_FOUND", "") : undefined;
  await registry.addImage("team/tool", "1", []);
  await registry.addImage("team/other", "1", []);
  const catalog = await home.dhow(["search", "--format", "{{.Name}}", `${registry.host}/tool`]);
  assertEquals(catalog.out, "team/tool");
});

registryTest("config.yaml sends pulls to a mirror, and certs.d makes TLS trusted", async () => {
  await using home = new Home();
  await using registry = await startRegistry({ tls: true });
  await using mirror = startFaultyRegistry();
  await mirror.addImage("hub/library/x", "latest", []);
  await home.write(
    ".config/dhow/config.yaml",
    `registries:\n  docker.io:\n    mirrors:\n      - http://${mirror.host}/hub\n`,
  );
  const mirrored = await home.dhow(["manifest", "inspect", "x"]);
  assertEquals([mirrored.code, mirrored.err], [0, ""]);
  assertMatch(mirrored.out, /"schemaVersion": 2/);
  await home.write(".config/dhow/config.yaml", "registries:\n  docker.io:\n    mirror: x\n");
  assertMatch(
    (await home.dhow(["manifest", "inspect", "x"])).err,
    /^Invalid config file ".*config\.yaml", line 3: unknown key "registries\.docker\.io\.mirror"; allowed here are mirrors, insecure, timeout, attempts$/,
  );
  await Deno.remove(`${home.path}/.config/dhow/config.yaml`);
  const authority = await Deno.readTextFile(`${registry.directory}/ca.crt`);
  await home.write(`.config/docker/certs.d/${registry.host}/ca.crt`, authority);
  const none = await home.dhow(["manifest", "inspect", `${registry.host}/x`]);
  assertEquals(none.err, `no such manifest: ${registry.host}/x:latest`);
});

Deno.test("proxies of the environment are used, but not for this machine", async () => {
  await using home = new Home();
  await using registry = startFaultyRegistry();
  await registry.addImage("x", "latest", []);
  Object.assign(home.env, {
    HTTP_PROXY: "http://127.0.0.1:9999",
    http_proxy: "http://127.0.0.1:9999",
  });
  assertEquals((await home.dhow(["manifest", "inspect", `${registry.host}/x`])).err, "");
  Object.assign(home.env, { NO_PROXY: "*" });
  const direct = await home.dhow(["manifest", "inspect", "far.invalid/x"]);
  assertEquals(
    direct.err,
    'Get "https://far.invalid/v2/": dial tcp: lookup far.invalid: no such host',
  );
  Object.assign(home.env, {
    NO_PROXY: "x",
    no_proxy: "x",
    HTTP_PROXY: registry.url,
    http_proxy: registry.url,
  });
  Object.assign(home.env, { HTTPS_PROXY: registry.url, https_proxy: registry.url });
  await home.write(".config/dhow/config.yaml", "registries:\n  far.invalid: {insecure: true}\n");
  registry.seen.length = 0;
  const far = await home.dhow(["manifest", "inspect", "far.invalid/x"]);
  assertEquals([far.code, far.err], [0, ""]);
  assertEquals(registry.seen.some(({ kind }) => kind === "manifest"), true);
});

Deno.test("commands say what is wrong with a registry, once, and end with 1", async () => {
  await using home = new Home();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  for (
    const args of [["login", "-u", "a", "-p", "b", `127.0.0.1:${port}`], [
      "search",
      `127.0.0.1:${port}/x`,
    ], ["manifest", "inspect", `127.0.0.1:${port}/x`]]
  ) {
    const { code, err } = await home.dhow(args);
    const last = err.split("\n").at(-1);
    assertEquals(code, 1);
    assertEquals(
      last,
      `Get "http://127.0.0.1:${port}/v2/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  }
});
