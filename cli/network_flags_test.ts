import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "./flags.ts";
import { parseNetworkOption, readNetworkFlags } from "./network_flags.ts";
import { createFlags } from "./run_flags.ts";

function read(...argv: string[]) {
  return readNetworkFlags(parseFlags(createFlags, argv).flags);
}

Deno.test("readNetworkFlags() asks for nothing where nothing is asked for", () => {
  assertEquals(read(), { mode: "default", links: null, macAddress: "" });
  assertEquals(read("--network", "web"), { mode: "web", links: null, macAddress: "" });
  assertEquals(read("--link", "a:b").links, ["a:b"]);
});

Deno.test("readNetworkFlags() gives the first network what has no network of its own", () => {
  const flags = read(
    ...["--network=name=a,ip=10.0.0.5,alias=x,alias=y,driver-opt=k=V", "--network", "b"],
    ...["--mac-address", "92:d0:c6:0a:29:33", "--link", "db:data"],
  );
  assertEquals(flags, {
    mode: "a",
    endpoints: {
      a: {
        Aliases: ["x", "y"],
        DriverOpts: { k: "V" },
        IPAMConfig: { IPv4Address: "10.0.0.5" },
        Links: ["db:data"],
        MacAddress: "92:d0:c6:0a:29:33",
      },
      b: {},
    },
    links: null,
    macAddress: "92:d0:c6:0a:29:33",
  });
});

Deno.test("parseNetworkOption() reads podman's form too", () => {
  assertEquals(parseNetworkOption("web:ip=10.0.0.5,mac=92:d0:c6:0a:29:33,alias=a"), {
    target: "web",
    config: {
      IPAMConfig: { IPv4Address: "10.0.0.5" },
      MacAddress: "92:d0:c6:0a:29:33",
      Aliases: ["a"],
    },
  });
  assertEquals(parseNetworkOption('"name=a,b"').target, "a,b");
  assertEquals(parseNetworkOption("container:x").target, "container:x");
});

Deno.test("network flags are refused in docker's words", () => {
  const cases: [string[], string][] = [
    [["--network="], "no name set for network"],
    [["--network=a", "--network=a"], 'network "a" is specified multiple times'],
    [
      ["--network=a", "--network=host"],
      "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
    ],
    [
      ["--network-alias=a"],
      "network-scoped aliases are only supported for user-defined networks",
    ],
    [["--mac-address=foo"], "foo is not a valid mac address"],
    [
      ["--network=name=a,ip=1.2.3.4", "--ip=1.2.3.5"],
      "conflicting options: cannot specify both --ip and per-network IPv4 address",
    ],
  ];
  for (const [argv, message] of cases) assertThrows(() => read(...argv), Error, message);
});
