import { assertEquals, assertRejects } from "@std/assert";
import {
  dripping,
  endless,
  type FaultyRegistry,
  refuse,
  startFaultyRegistry,
  truncated,
} from "../../tests/helpers/faulty_registry.ts";
import { DhowError } from "../errors.ts";
import { openRepository, type RegistryOptions } from "./client.ts";
import { downloadBlob } from "./download_blob.ts";
import type { Limits } from "./limits.ts";
import type { Repository } from "./repository.ts";
import { NO_SETTINGS } from "./settings.ts";

const LIMITS: Partial<Limits> = { backoffMs: 1, answerMs: 2000, stallMs: 300, stallBytes: 100 };

function open(registry: FaultyRegistry, options: RegistryOptions = {}): Repository {
  return openRepository({ domain: registry.host, repository: "x" }, {
    settings: NO_SETTINGS,
    credentials: () => Promise.resolve(undefined),
    limits: LIMITS,
    ...options,
  });
}

const DATA = crypto.getRandomValues(new Uint8Array(60_000));

async function read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function download(repository: Repository, digest: string, offset = 0, size = DATA.length) {
  return downloadBlob(repository, { digest, size }, {
    offset,
    limits: { attempts: 4, backoffMs: 1, backoffMaxMs: 1 },
  });
}

Deno.test("Repository.manifest() takes no other bytes than those asked for, and none above 4 MiB", async () => {
  await using registry = startFaultyRegistry();
  const { digest } = await registry.addImage("x", "1", []);
  using repository = open(registry);
  assertEquals((await repository.manifest("1")).digest, digest);
  assertEquals((await repository.headManifest(digest))?.digest, digest);
  assertEquals(await repository.headManifest("2"), undefined);
  registry.hook = () => new Response("{}", { headers: { "content-type": "application/json" } });
  const wrong = await assertRejects(() => repository.manifest(digest), DhowError);
  assertEquals(wrong.code, "digest_mismatch");
  registry.hook = () => endless(new Uint8Array(65536));
  const endlessly = await assertRejects(() => repository.manifest("1"), DhowError, "4 MiB");
  assertEquals(endlessly.code, "unavailable");
});

Deno.test("Repository says in docker's words why it could not", async () => {
  await using registry = startFaultyRegistry();
  using repository = open(registry);
  const name = `${registry.host}/x`;
  await assertRejects(
    () => repository.manifest("1"),
    DhowError,
    `manifest for ${name}:1 not found: manifest unknown: manifest unknown`,
  );
  for (
    const [answer, message] of [
      [
        refuse(403, "DENIED", "no"),
        `pull access denied for ${name}, repository does not exist or may require 'dhow login': denied: no`,
      ],
      [refuse(404, "NAME_UNKNOWN", "none"), `repository ${name} not found: name unknown: none`],
      [
        refuse(401, "UNAUTHORIZED", "authentication required"),
        "unauthorized: authentication required",
      ],
      [refuse(418, "\x1b[2Jx", "\x1b]0;t\x07evil"), "unknown: evil"],
      [new Response("slow \x1b[31mdown", { status: 429 }), "toomanyrequests: slow down"],
      [new Response("nope", { status: 404 }), "unknown: nope"],
    ] as const
  ) {
    registry.hook = () => answer.clone();
    const error = await assertRejects(() => repository.manifest("1"), DhowError);
    assertEquals(error.message, message);
  }
  registry.hook = () => endless(new TextEncoder().encode("x".repeat(65536)), { status: 500 });
  const error = await assertRejects(() => repository.manifest("1"), DhowError);
  assertEquals(error.message, "received unexpected HTTP status: 500 Internal Server Error");
});

Deno.test("Repository tries again what may pass, and waits as long as it is told to", async () => {
  await using registry = startFaultyRegistry();
  await registry.addImage("x", "1", []);
  using repository = open(registry);
  registry.hook = ({ count }) => count < 4 ? refuse(503, "UNAVAILABLE", "later") : undefined;
  await repository.manifest("1");
  assertEquals(registry.seen.length, 4);
  await registry.addImage("x", "2", []);
  const before = performance.now();
  registry.hook = ({ count }) =>
    count < 2 ? refuse(429, "TOOMANYREQUESTS", "later", { "retry-after": "1" }) : undefined;
  await repository.manifest("2");
  assertEquals(performance.now() - before >= 990, true);
  registry.hook = () => refuse(429, "TOOMANYREQUESTS", "tomorrow", { "retry-after": "86400" });
  registry.seen.length = 0;
  await assertRejects(() => repository.manifest("3"), DhowError, "toomanyrequests: tomorrow");
  assertEquals(registry.seen.length, 1);
});

Deno.test("Repository sends credentials to nobody but the registry", async () => {
  await using elsewhere = startFaultyRegistry();
  await using registry = startFaultyRegistry();
  const digest = await elsewhere.addBlob(DATA);
  registry.hook = ({ request, kind }) => {
    if (request.headers.get("authorization") === null) {
      return refuse(401, "UNAUTHORIZED", "who?", { "www-authenticate": 'Basic realm="x"' });
    }
    if (kind !== "blob") return undefined;
    const location = `http://user:pass@${elsewhere.host}/v2/x/blobs/${digest}`;
    return new Response(null, { status: 307, headers: { location } });
  };
  using repository = open(registry, {
    credentials: () => Promise.resolve({ kind: "password", username: "u", password: "p" }),
  });
  assertEquals(await read(download(repository, digest)), DATA);
  assertEquals(registry.seen.map(({ authorization }) => authorization), [null, "Basic dTpw"]);
  assertEquals(elsewhere.seen.map(({ authorization }) => authorization), [null]);
});

Deno.test("Repository gives up on a registry that never has enough of questions", async () => {
  await using registry = startFaultyRegistry();
  let answers = 0;
  registry.hook = ({ path }) =>
    path === "/token"
      ? Response.json({ token: `t${answers++}` })
      : refuse(401, "UNAUTHORIZED", "more", {
        "www-authenticate": `Bearer realm="${registry.url}/token",service="s${answers}"`,
      });
  using repository = open(registry);
  await assertRejects(() => repository.manifest("1"), DhowError, "unauthorized: more");
  assertEquals(registry.seen.length < 10, true);
  registry.hook = ({ path }) =>
    path.startsWith("/loop")
      ? new Response(null, { status: 302, headers: { location: path + "x" } })
      : new Response(null, { status: 302, headers: { location: "/loop" } });
  await assertRejects(() => repository.manifest("1"), DhowError, "stopped after 10 redirects");
});

Deno.test("Repository fetches a new token when the old one is refused", async () => {
  await using registry = startFaultyRegistry();
  await registry.addImage("x", "1", []);
  let token = 1;
  registry.hook = ({ path, request }) => {
    if (path === "/token") return Response.json({ token: `t${token}`, expires_in: 3600 });
    if (request.headers.get("authorization") === `Bearer t${token}`) return undefined;
    return refuse(401, "UNAUTHORIZED", "who?", {
      "www-authenticate": `Bearer realm="${registry.url}/token",service="s"`,
    });
  };
  using repository = open(registry);
  await repository.manifest("1");
  await repository.manifest("1");
  assertEquals(registry.count("GET", "other"), 1);
  token = 2;
  await repository.manifest("1");
  assertEquals(registry.count("GET", "other"), 2);
});

Deno.test("Repository.manifest() is fetched again if the connection breaks", async () => {
  await using registry = startFaultyRegistry();
  const { digest } = await registry.addImage("x", "1", []);
  using repository = open(registry);
  registry.hook = ({ count, bytes }) =>
    count < 3
      ? truncated(bytes!, 10, { headers: { "content-length": String(bytes!.length) } })
      : undefined;
  assertEquals((await repository.manifest("1")).digest, digest);
  assertEquals(registry.seen.length, 3);
});

Deno.test("Repository asks no token server in the clear", async () => {
  await using registry = startFaultyRegistry();
  registry.hook = () =>
    refuse(401, "UNAUTHORIZED", "who?", {
      "www-authenticate": 'Bearer realm="http://auth.invalid/token",service="s"',
    });
  using repository = open(registry);
  await assertRejects(() => repository.manifest("1"), DhowError, "not reached over https");
});

Deno.test("downloadBlob() goes on where the connection broke", async () => {
  await using registry = startFaultyRegistry();
  const digest = await registry.addBlob(DATA);
  using repository = open(registry);
  registry.hook = ({ count, bytes, request }) => {
    if (count > 3) return undefined;
    const start = Number(/\d+/.exec(request.headers.get("range") ?? "0")?.[0]);
    return truncated(bytes!.subarray(start), 10_000, {
      status: start > 0 ? 206 : 200,
      headers: start > 0
        ? { "content-range": `bytes ${start}-${DATA.length - 1}/${DATA.length}` }
        : {},
    });
  };
  assertEquals(await read(download(repository, digest)), DATA);
  assertEquals(registry.seen.length, 4);
  assertEquals(registry.seen[3]!.range, "bytes=30000-");
  assertEquals(await read(download(repository, digest, 59_000)), DATA.slice(59_000));
});

Deno.test("downloadBlob() skips what it has where the registry knows no ranges", async () => {
  await using registry = startFaultyRegistry();
  const digest = await registry.addBlob(DATA);
  using repository = open(registry);
  registry.hook = ({ count, bytes }) =>
    count === 1 ? truncated(bytes!, 25_000) : new Response(bytes);
  assertEquals(await read(download(repository, digest, 10_000)), DATA.slice(10_000));
  assertEquals(registry.seen.length, 2);
});

Deno.test("downloadBlob() takes neither more nor less than the manifest says, and does not wait forever", async () => {
  await using registry = startFaultyRegistry();
  const digest = await registry.addBlob(DATA);
  using repository = open(registry);
  const failure = async (size = DATA.length) =>
    (await assertRejects(() => read(download(repository, digest, 0, size)), DhowError)).message;
  assertEquals(/has 60000 bytes of it/.test(await failure(70_000)), true);
  assertEquals(/more than the 50000 bytes/.test(await failure(50_000)), true);
  registry.hook = () => endless(new Uint8Array(65536));
  assertEquals(/more than the 60000 bytes/.test(await failure()), true);
  registry.hook = () => new Response(new ReadableStream({ start: (c) => c.close() }));
  assertEquals(/ends after 0 of 60000 bytes/.test(await failure()), true);
  registry.hook = ({ bytes }) => dripping(bytes!, 20);
  assertEquals(/the registry sent \d+ bytes in 0.3 s/.test(await failure()), true);
});

Deno.test("Repository stops as soon as its signal says so", async () => {
  await using registry = startFaultyRegistry();
  const digest = await registry.addBlob(DATA);
  using repository = open(registry);
  registry.hook = ({ bytes }) => dripping(bytes!, 20);
  const controller = new AbortController();
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 50);
  const stream = downloadBlob(repository, { digest, size: DATA.length }, {
    signal: controller.signal,
  });
  await assertRejects(() => read(stream), Error, "enough");
  await assertRejects(
    () => repository.manifest("1", { signal: controller.signal }),
    Error,
    "enough",
  );
});

Deno.test("Repository.uploadBlob() goes on where the connection broke, and mounts what is there", async () => {
  await using registry = startFaultyRegistry();
  using repository = open(registry, { actions: "pull,push" });
  const big = new Uint8Array(200_000).map((_, i) => i % 251);
  const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", big)).toHex()}`;
  const offsets: number[] = [];
  registry.breakUploadAfter = 131_072;
  await repository.uploadBlob({ mediaType: "x", digest, size: big.length }, (offset) => {
    offsets.push(offset);
    return new Blob([big.subarray(offset)]).stream();
  });
  assertEquals(offsets, [0, 131_072]);
  assertEquals(registry.blobs.get(digest), big);
  assertEquals(await repository.hasBlob(digest), big.length);
  assertEquals(await repository.mountBlob(digest, "y"), true);
  assertEquals(await repository.mountBlob(`sha256:${"0".repeat(64)}`, "y"), false);
  assertEquals(registry.count("DELETE", "upload"), 1);
  // What cannot be read here is not tried again.
  const unreadable = { mediaType: "x", digest: `sha256:${"1".repeat(64)}`, size: big.length };
  const before = registry.seen.length;
  await assertRejects(
    () =>
      repository.uploadBlob(unreadable, () =>
        new ReadableStream({
          pull() {
            throw new DhowError("internal", "disk on fire");
          },
        })),
    DhowError,
    "disk on fire",
  );
  assertEquals(registry.seen.slice(before).filter(({ method }) => method === "POST").length, 1);
});

Deno.test("Repository.tags() follows pages, but not in circles", async () => {
  await using registry = startFaultyRegistry();
  using repository = open(registry);
  registry.hook = ({ request, path }) => {
    const last = new URL(request.url).searchParams.get("last");
    const link = { link: `<${path}?last=b>; rel="next"` };
    return last === null
      ? Response.json({ tags: ["a", "b"] }, { headers: link })
      : Response.json({ tags: ["c"] });
  };
  assertEquals(await Array.fromAsync(repository.tags()), ["a", "b", "c"]);
  registry.hook = ({ path }) =>
    Response.json({ tags: ["a"] }, { headers: { link: `<${path}?last=a>; rel="next"` } });
  await assertRejects(() => Array.fromAsync(repository.tags()), DhowError, "does not end");
});

Deno.test("Repository.tags() is led to no other server, nor to ever longer addresses", async () => {
  await using registry = startFaultyRegistry();
  using repository = open(registry);
  let next = "http://x//other.example/v2/";
  registry.hook = ({ request }) =>
    request.url.includes("other.example")
      ? Response.json({ tags: [new URL(request.url).pathname] })
      : Response.json({ tags: ["a"] }, { headers: { link: `<${next}>; rel="next"` } });
  assertEquals(await Array.fromAsync(repository.tags()), ["a", "/other.example/v2/"]);
  next = "//[";
  await assertRejects(() => Array.fromAsync(repository.tags()), DhowError, "makes no sense");
  next = `${"x".repeat(1000)}/`;
  await assertRejects(() => Array.fromAsync(repository.tags()), DhowError, "does not end");
});

Deno.test("openRepository() asks mirrors first, and the registry for what they lack", async () => {
  await using mirror = startFaultyRegistry();
  await using registry = startFaultyRegistry();
  const { digest } = await registry.addImage("x", "1", [DATA]);
  await mirror.addImage("hub/x", "1", [DATA]);
  const registries = new Map([[registry.host, {
    mirrors: [`http://${mirror.host}/hub`, "127.0.0.1:9"],
  }]]);
  using repository = open(registry, { settings: { registries, defaults: {} } });
  assertEquals((await repository.manifest("1")).digest, digest);
  assertEquals(registry.seen, []);
  mirror.manifests.clear();
  assertEquals((await repository.manifest("1")).digest, digest);
  assertEquals(registry.seen.length, 1);
});
