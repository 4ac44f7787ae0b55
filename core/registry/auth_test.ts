import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  PASSWORD,
  type Registry,
  registryTest,
  startRegistry,
  USERNAME,
} from "../../tests/helpers/registry.ts";
import { DhowError } from "../errors.ts";
import { openRepository, type RegistryOptions } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import type { Repository } from "./repository.ts";
import { NO_SETTINGS } from "./settings.ts";

const USER: Credentials = { kind: "password", username: USERNAME, password: PASSWORD };

function open(
  registry: Registry,
  repository: string,
  credentials?: Credentials,
  options: RegistryOptions = {},
): Repository {
  return openRepository({ domain: registry.host, repository }, {
    settings: NO_SETTINGS,
    credentials: () => Promise.resolve(credentials),
    ...options,
  });
}

const MANIFEST = new TextEncoder().encode("{}");

/** Pushes a blob of `size` bytes. */
async function push(repository: Repository, size: number): Promise<string> {
  const bytes = new Uint8Array(size).map((_, i) => i % 251);
  const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
  await repository.uploadBlob(
    { mediaType: "x", digest, size },
    (offset) => new Blob([bytes.subarray(offset)]).stream(),
  );
  assertEquals(await repository.hasBlob(digest), size);
  return digest;
}

registryTest("Repository pushes and pulls with a password", async () => {
  await using registry = await startRegistry({ htpasswd: true });
  using repository = open(registry, "a/b", USER, { actions: "pull,push" });
  const small = await push(repository, 100);
  await push(repository, 1_000_000);
  const { body, offset, sizeBytes } = await repository.blob(small, { offset: 60 });
  assertEquals([offset, sizeBytes, (await new Response(body).bytes()).length], [60, 100, 40]);
  using stranger = open(registry, "a/b");
  const error = await assertRejects(() => stranger.manifest("latest"), DhowError);
  assertEquals(error.code, "unauthorized");
  assertEquals(
    error.message,
    `Get "${registry.url}/v2/a/b/manifests/latest": no basic auth credentials`,
  );
  using wrong = open(registry, "a/b", { ...USER, password: "x" } as Credentials);
  await assertRejects(
    () => wrong.hasBlob(small),
    DhowError,
    "unauthorized: authentication required",
  );
});

registryTest("Repository fetches tokens for what it does, and keeps them", async () => {
  await using registry = await startRegistry({ token: true });
  const tokens = registry.tokens!;
  using writer = open(registry, "public/x", USER, { actions: "pull,push" });
  const digest = await push(writer, 1000);
  assertEquals(tokens.calls.map(({ scopes }) => scopes), [["repository:public/x:pull,push"]]);
  using other = open(registry, "private/y", USER, { actions: "pull,push" });
  assertEquals(await other.mountBlob(digest, "public/x"), true);
  assertEquals(tokens.calls.at(-1)!.scopes.sort(), [
    "repository:private/y:pull,push",
    "repository:public/x:pull",
  ]);
  tokens.forbidden.add("secret/z");
  assertEquals(await other.mountBlob(digest, "secret/z"), false);
  using anybody = open(registry, "public/x");
  assertEquals(await anybody.hasBlob(digest), 1000);
  assertEquals(tokens.calls.at(-1), {
    method: "GET",
    scopes: ["repository:public/x:pull"],
    user: undefined,
    grant: undefined,
  });
  const calls = tokens.calls.length;
  assertEquals(await anybody.hasBlob(digest), 1000);
  assertEquals(tokens.calls.length, calls);
});

registryTest("Repository is told no by a token registry in docker's words", async () => {
  await using registry = await startRegistry({ token: true });
  using stranger = open(registry, "private/x");
  await assertRejects(
    () => stranger.manifest("latest"),
    DhowError,
    `pull access denied for ${registry.host}/private/x, repository does not exist or may require 'dhow login': ` +
      "denied: requested access to the resource is denied",
  );
  assertEquals(registry.tokens!.calls.length, 1);
  using wrong = open(registry, "private/x", { ...USER, password: "x" } as Credentials);
  const error = await assertRejects(() => wrong.manifest("latest"), DhowError);
  assertEquals(
    error.message,
    `Get "${registry.tokens!.url}/token": unauthorized: incorrect username or password`,
  );
});

registryTest("Repository trades a refresh token for tokens", async () => {
  await using registry = await startRegistry({ token: true });
  registry.tokens!.refreshToken = "refresh me";
  const credentials: Credentials = { kind: "identity_token", token: "refresh me" };
  using repository = open(registry, "private/x", credentials, { actions: "pull,push" });
  await push(repository, 10);
  assertEquals(registry.tokens!.calls.map(({ method, grant }) => [method, grant]), [
    ["POST", "refresh_token"],
  ]);
});

registryTest("Repository trusts the certificates of certs.d, and shows its own", async () => {
  await using registry = await startRegistry({ tls: "client" });
  const home = await Deno.makeTempDir();
  const before = Deno.env.get("XDG_CONFIG_HOME");
  try {
    const directory = `${home}/docker/certs.d/${registry.host}`;
    await Deno.mkdir(directory, { recursive: true });
    await Deno.copyFile(`${registry.directory}/ca.crt`, `${directory}/ca.crt`);
    await Deno.copyFile(`${registry.directory}/client.crt`, `${directory}/me.cert`);
    Deno.env.set("XDG_CONFIG_HOME", home);
    using stranger = open(registry, "x");
    await Deno.remove(`${directory}/me.cert`);
    const unknown = await assertRejects(() => stranger.headManifest("1"), DhowError);
    // How a server of TLS 1.3 says so depends on who is faster; that plain http got an answer, 400, is not the reason.
    assertMatch(
      unknown.message,
      /^Get "https:.*\/v2\/": (remote error: tls: |unexpected EOF|.*reset|.*broken pipe)/,
    );
    await Deno.copyFile(`${registry.directory}/client.crt`, `${directory}/me.cert`);
    using keyless = open(registry, "x");
    await assertRejects(
      () => keyless.headManifest("1"),
      DhowError,
      "missing key me.key for client certificate me.cert",
    );
    await Deno.copyFile(`${registry.directory}/client.key`, `${directory}/me.key`);
    using repository = open(registry, "x");
    assertEquals(await repository.headManifest("1"), undefined);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CONFIG_HOME");
    else Deno.env.set("XDG_CONFIG_HOME", before);
    await Deno.remove(home, { recursive: true });
  }
});

registryTest(
  "Repository reaches this machine's registries over TLS nobody vouches for",
  async () => {
    await using registry = await startRegistry({ tls: true });
    using repository = open(registry, "x", undefined, { actions: "pull,push" });
    await push(repository, 10);
    await push(repository, 300_000);
    await assertRejects(
      () => repository.putManifest("1", { mediaType: "application/json", bytes: MANIFEST }),
      DhowError,
    );
  },
);
