import { assertEquals } from "@std/assert";
import { formatPorts } from "./ports.ts";

Deno.test("formatPorts() groups as docker does", () => {
  const both = (PrivatePort: number, PublicPort: number, Type = "tcp") =>
    ["0.0.0.0", "::"].map((IP) => ({ IP, PrivatePort, PublicPort, Type }));
  const ports = [
    { PrivatePort: 90, Type: "tcp" },
    ...[93, 91, 92].map((PrivatePort) => ({ PrivatePort, Type: "udp" })),
    ...[8101, 8100, 8102].flatMap((port) => both(port, port)),
    { IP: "127.0.0.1", PrivatePort: 80, PublicPort: 9100, Type: "tcp" },
    ...both(81, 32768, "udp"),
  ];
  assertEquals(
    formatPorts(ports),
    "90/tcp, 91-93/udp, 0.0.0.0:8100-8102->8100-8102/tcp, [::]:8100-8102->8100-8102/tcp, " +
      "127.0.0.1:9100->80/tcp, 0.0.0.0:32768->81/udp, [::]:32768->81/udp",
  );
});
