import { assertEquals, assertThrows } from "@std/assert";
import { parsePublish, portRequests } from "./port_spec.ts";

const ACCEPTED: Record<string, [string, string, string][]> = {
  "80": [["80/tcp", "", ""]],
  ":80": [["80/tcp", "", ""]],
  "8080:80/UDP": [["80/udp", "", "8080"]],
  "127.0.0.1::80": [["80/tcp", "127.0.0.1", ""]],
  "[::1]:8080:80": [["80/tcp", "::1", "8080"]],
  "8000-8010:80": [["80/tcp", "", "8000-8010"]],
  "8000-8001:80-81/udp": [["80/udp", "", "8000"], ["81/udp", "", "8001"]],
  "80-81": [["80/tcp", "", ""], ["81/tcp", "", ""]],
  "0:80": [["80/tcp", "", "0"]],
  "published=8080,target=80": [["80/tcp", "", "8080"]],
  "a=b,target=80": [["80/tcp", "", ""]],
  "80/": [["80/tcp", "", ""]],
};

for (const [spec, wanted] of Object.entries(ACCEPTED)) {
  Deno.test(`parsePublish() reads ${spec}`, () => {
    const found = Object.entries(parsePublish([spec])).flatMap(([port, hosts]) =>
      hosts.map(({ HostIp, HostPort }) => [port, HostIp, HostPort])
    );
    assertEquals(found, wanted);
  });
}

const REFUSED: Record<string, string> = {
  "abc": "Invalid containerPort: abc",
  "80:abc": "Invalid containerPort: abc",
  "abc:80": "Invalid hostPort: abc",
  "1.2.3:80:80": "Invalid ip address: 1.2.3",
  "70000": "Invalid containerPort: 70000",
  "80/foo": "Invalid proto: foo",
  "8000-8001:80-82": "Invalid ranges specified for container and host Ports: 80-82 and 8000-8001",
  "90-80:80": "Invalid hostPort: 90-80",
  "80:": "No port specified: 80:<empty>",
  "": "No port specified: <empty>",
  "[::1:80:80": "Invalid ip address [::1: address [::1:: missing ']' in address",
  "8080:80:": "Invalid ip address: 8080",
  "/tcp": "No port specified: /tcp<empty>",
};

for (const [spec, message] of Object.entries(REFUSED)) {
  Deno.test(`parsePublish() refuses "${spec}"`, () => {
    assertThrows(() => parsePublish([spec]), Error, message);
  });
}

Deno.test("parsePublish() throws nothing but what it says for arbitrary text", () => {
  const alphabet = "0189:-/[].tcpud=,";
  for (let i = 0; i < 20_000; i++) {
    const length = Math.floor(Math.random() * 14);
    const spec = Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)])
      .join("");
    try {
      const ports = Object.keys(parsePublish([spec]));
      assertEquals(ports.every((port) => /^\d+\/(tcp|udp|sctp)$/.test(port)), true, spec);
    } catch (error) {
      assertEquals((error as Error).name, "DhowError", spec);
    }
  }
});

Deno.test("portRequests() publishes what is exposed where all is asked for, and no SCTP", () => {
  const exposed = { "80/tcp": {}, "53/udp": {} };
  const bindings = parsePublish(["127.0.0.1:8080-8081:80"]);
  assertEquals(portRequests({ exposed, bindings, all: true }), [
    { port: 80, protocol: "tcp", hostIp: "127.0.0.1", first: 8080, last: 8081 },
    { port: 53, protocol: "udp", hostIp: "", first: 0, last: 0 },
  ]);
  const sctp = { exposed, bindings: parsePublish(["9/sctp"]), all: false };
  assertThrows(() => portRequests(sctp), Error, "only TCP and UDP");
});
