import { assertEquals, assertThrows } from "@std/assert";
import { parseBind, parseTmpfsOptions, parseVolumesFrom, splitVolume } from "./mount_spec.ts";
import { parseMount } from "./parse_mount.ts";

const mount = (text: string) => parseMount(text, (path) => "/abs/" + path);

Deno.test("parseBind() tells binds, volumes and anonymous volumes apart", () => {
  assertEquals(parseBind("/a:/b:ro,z"), {
    Type: "bind",
    Source: "/a",
    Target: "/b",
    ReadOnly: true,
    mode: "ro,z",
  });
  assertEquals(parseBind("vol:/b"), { Type: "volume", Source: "vol", Target: "/b", mode: "" });
  assertEquals(parseBind("/b"), { Type: "volume", Target: "/b", mode: "" });
  assertEquals(parseBind("/a:/b:rslave").BindOptions, { Propagation: "rslave" });
});

Deno.test("parseBind() complains in docker's words", () => {
  const cases: [string, string][] = [
    ["a:/b:zz", "invalid mode: zz"],
    ["/a:ro", "invalid volume specification: '/a:ro'"],
    ["/a:/b:ro,rw", "invalid mode: ro,rw"],
    [
      "a:b",
      "invalid volume specification: 'a:b': invalid mount config for type \"volume\": invalid mount path: 'b' mount path must be absolute",
    ],
    ["/a:/", "destination can't be '/'"],
  ];
  for (const [spec, message] of cases) assertThrows(() => parseBind(spec), Error, message);
});

Deno.test("splitVolume() keeps short and single specs whole", () => {
  assertEquals(splitVolume(":"), { source: "", target: ":" });
  assertEquals(splitVolume("/data"), { source: "", target: "/data" });
  assertEquals(splitVolume("./a:/b:ro"), { source: "./a", target: "/b" });
  assertThrows(
    () => splitVolume("/a:/b:/c:/d"),
    Error,
    "invalid spec: /a:/b:/c:/d: too many colons",
  );
});

Deno.test("parseMount() reads all of --mount", () => {
  assertEquals(mount("type=bind,src=./x,dst=/y,ro,bind-propagation=rslave"), {
    Type: "bind",
    Source: "/abs/./x",
    Target: "/y",
    ReadOnly: true,
    BindOptions: { Propagation: "rslave" },
  });
  assertEquals(mount("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770").TmpfsOptions, {
    SizeBytes: 1048576,
    Mode: 0o1770,
  });
  assertEquals(mount('src=v,dst=/v,volume-nocopy,"volume-opt=o=a,b"').VolumeOptions, {
    NoCopy: true,
    DriverConfig: { Options: { o: "a,b" } },
  });
});

Deno.test("parseMount() complains in docker's words", () => {
  const cases: [string, string][] = [
    ["foo", "invalid field 'foo' must be a key=value pair"],
    ["foo=bar", "unexpected key 'foo' in 'foo=bar'"],
    ["type=bind", "target is required"],
    ["dst=/x,ro=maybe", "invalid value for ro: maybe"],
    ["type=volume,dst=/x,tmpfs-size=1m", "cannot mix 'tmpfs-*' options with mount type 'volume'"],
  ];
  for (const [text, message] of cases) assertThrows(() => mount(text), Error, message);
});

Deno.test("parseVolumesFrom() and parseTmpfsOptions()", () => {
  assertEquals(parseVolumesFrom("a:ro"), { container: "a", mode: "ro" });
  assertThrows(() => parseVolumesFrom("a:foo"), Error, "invalid mode: foo");
  assertEquals(parseTmpfsOptions("size=1m,noexec"), ["size=1m", "noexec"]);
  assertThrows(() => parseTmpfsOptions("foo"), Error, 'invalid tmpfs option "foo"');
});
