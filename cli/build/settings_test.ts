import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../flags.ts";
import { buildFlags } from "./flags.ts";
import { toSettings } from "./settings.ts";

function settingsOf(...argv: string[]) {
  return toSettings(parseFlags(buildFlags, argv).flags);
}

Deno.test("toSettings() reads values as docker does", async () => {
  Deno.env.set("DHOW_TEST_VALUE", "from the environment");
  const { request, contexts, outputs, call } = settingsOf(
    ...["-t", "a", "-t", "h:5000/b:1", "-o", "type=image,name=c,push=true", "-o", "out", "-o", "-"],
    ...["--build-arg", "A=1=2", "--build-arg", "DHOW_TEST_VALUE", "--build-arg", "DHOW_TEST_UNSET"],
    ...["--label", "x=y", "--label", "z", "--add-host", "h=::1,i:1.2.3.4", "--network", "host"],
    ...["--secret", "id=s,env=DHOW_TEST_VALUE", "--cache-from", "r/c", "--no-cache-filter", "a,b"],
    ...[
      "--cache-to",
      'type=local,"dest=/a,b",mode=max',
      "--build-context",
      "Base=docker-image://b",
    ],
    ...["--shm-size", "64m", "--platform", "arm64", "--call", "check,format=json"],
    ...["--timestamp", "0", "--rm=false", "--force-rm", "-m", "1g", "--provenance=false"],
  );
  Deno.env.delete("DHOW_TEST_VALUE");
  assertEquals(request.tags, [
    "docker.io/library/a:latest",
    "h:5000/b:1",
    "docker.io/library/c:latest",
  ]);
  assertEquals(outputs, [
    { kind: "image" },
    { kind: "push" },
    { kind: "local", directory: "out" },
    { kind: "tar", path: "" },
  ]);
  assertEquals([...request.buildArgs], [["A", "1=2"], ["DHOW_TEST_VALUE", "from the environment"]]);
  assertEquals(request.labels, { x: "y", z: "" });
  assertEquals(request.addHosts, ["h:::1", "i:1.2.3.4"]);
  assertEquals(request.entitlements, ["network.host"]);
  assertEquals(request.cacheFrom, [{ type: "registry", attributes: { ref: "r/c" } }]);
  assertEquals(request.cacheTo, [{ type: "local", attributes: { dest: "/a,b", mode: "max" } }]);
  assertEquals(request.noCache, ["a", "b"]);
  assertEquals([request.shmSizeBytes, request.platform], [64 << 20, "linux/arm64"]);
  assertEquals([request.sourceDateEpoch, contexts], [0, [["base", "docker-image://b"]]]);
  assertEquals(call, { method: "check", asJson: true });
  // The variable is gone: secrets are read when they are needed.
  const error = await request.secrets[0]!.read().then(() => "", (error: Error) => error.message);
  assertEquals(error, "secret s: the environment variable DHOW_TEST_VALUE is not set");
});

Deno.test("toSettings() refuses in docker's words", () => {
  const cases: [string[], string][] = [
    [["-t", "UPPER"], 'invalid tag "UPPER": repository name must be lowercase'],
    [["-t", "a b"], 'invalid tag "a b": invalid reference format'],
    [["--secret", "src=x"], "secret missing ID"],
    [["--secret", "id=x,src=/nope"], "failed to stat /nope: stat /nope: no such file or directory"],
    [["--secret", "foo=bar"], "unexpected key 'foo' in 'foo=bar'"],
    [["--secret", "type=foo,id=x"], 'unsupported secret type "foo"'],
    [["--secret", "x"], "invalid value x"],
    [["--ssh", "a=/nope"], 'ID: "a": stat /nope: no such file or directory'],
    [["--ssh", "a=/etc/passwd"], "ssh-add /etc/passwd"],
    [["-o", "type=local"], "dest is required for local exporter"],
    [["-o", "type=wat"], 'exporter "wat" could not be found'],
    [["-o", "-", "-o", "type=oci"], "only one output can be written to stdout"],
    [["--push"], "tag is needed when pushing to registry"],
    [["--build-arg", "=x"], 'invalid key-value pair "=x": empty key'],
    [["--label", "=x"], 'invalid key-value pair "=x": empty key'],
    [["--build-context", "foo"], "invalid context value: foo, expected key=value"],
    [["--platform", "wat/x/y/z"], '"wat/x/y/z": cannot parse platform specifier'],
    [["--platform", "amd64,arm64"], "multi-platform build is not supported"],
    [["--add-host", "foo"], "invalid host foo"],
    [["--network", "foo"], 'network mode "foo" not supported'],
    [["--allow", "wat"], "unknown entitlement wat"],
    [["--cache-from", "type=wat"], "unknown cache importer: wat"],
    [["--cache-from", "type=inline"], "unknown cache importer: inline"],
    [["--cache-to", "type=local"], "dest is required for type=local"],
    [["--sbom", "true"], "attestations are not supported"],
    [["--annotation", "a=b"], "annotations are not supported"],
    [["--timestamp", "x"], '"x" is no number of seconds'],
    [["--call", "wat"], 'unknown method "wat" for --call'],
  ];
  for (const [argv, message] of cases) {
    assertThrows(() => settingsOf(...argv), Error, message, argv.join(" "));
  }
});
