import { assertEquals } from "@std/assert";
import {
  canonicalAddress,
  contains,
  formatSubnet,
  isHostAddress,
  overlaps,
  parseAddress,
  parseCidr,
  parseSubnet,
} from "./subnet.ts";

Deno.test("canonicalAddress() writes addresses as RFC 5952 has them", () => {
  const cases: [string, string][] = [
    ["10.0.0.255", "10.0.0.255"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["fe80:0:0:0:0:0:0:1", "fe80::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["::ffff:1.2.3.4", "::ffff:1.2.3.4"],
    ["::1.2.3.4", "::102:304"],
  ];
  for (const [text, expected] of cases) assertEquals(canonicalAddress(text), expected);
});

Deno.test("parseAddress() takes nothing that is no address", () => {
  const wrong = [
    ...[
      "",
      " ",
      "1.2.3",
      "1.2.3.4.5",
      "01.2.3.4",
      "256.1.1.1",
      "1.2.3.4 ",
      "0x1.2.3.4",
      "1.2.3.-4",
    ],
    ...[
      ":",
      ":::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "fe80::1%eth0",
      "12345::",
      "::g",
    ],
    ...["1.2.3.4::", "::1.2.3", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::"],
  ];
  assertEquals(wrong.filter((text) => parseAddress(text) !== undefined), []);
});

Deno.test("parseCidr() keeps the address, parseSubnet() wants it without host bits", () => {
  const parsed = parseCidr("10.1.2.3/16")!;
  assertEquals(formatSubnet(parsed.subnet), "10.1.0.0/16");
  assertEquals(parsed.address, parseAddress("10.1.2.3"));
  assertEquals(parseSubnet("10.1.2.3/16"), undefined);
  const wrong = ["10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "::/129", "/8", "::/-1"];
  assertEquals(wrong.filter((text) => parseCidr(text) !== undefined), []);
  assertEquals(formatSubnet(parseSubnet("0.0.0.0/0")!), "0.0.0.0/0");
});

Deno.test("subnets contain and overlap by their addresses, each version for itself", () => {
  const [a, b, c, all, v6] = ["10.0.0.0/8", "10.255.0.0/16", "11.0.0.0/8", "0.0.0.0/0", "::/0"]
    .map((text) => parseSubnet(text)!);
  assertEquals([overlaps(a!, b!), overlaps(b!, a!), overlaps(a!, c!)], [true, true, false]);
  assertEquals([overlaps(all!, c!), overlaps(all!, v6!)], [true, false]);
  assertEquals(contains(a!, parseAddress("10.255.255.255")!), true);
  assertEquals(contains(v6!, parseAddress("10.0.0.1")!), false);
});

Deno.test("isHostAddress() leaves out the ends, but not of the smallest subnets", () => {
  const hosts = (subnet: string, ...texts: string[]) =>
    texts.filter((text) => isHostAddress(parseSubnet(subnet)!, parseAddress(text)!));
  assertEquals(hosts("10.0.0.0/30", "10.0.0.0", "10.0.0.1", "10.0.0.3", "10.0.0.4"), ["10.0.0.1"]);
  assertEquals(hosts("10.0.0.0/31", "10.0.0.0", "10.0.0.1"), ["10.0.0.0", "10.0.0.1"]);
  assertEquals(hosts("10.0.0.7/32", "10.0.0.7"), ["10.0.0.7"]);
  assertEquals(hosts("fd00::/126", "fd00::", "fd00::3"), ["fd00::3"]);
});
