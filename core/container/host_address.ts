/**
 * The host's own address, by which containers reach services on it.
 *
 * @module
 */

/** The IPv4 address of the interface that the host's default route leaves by; undefined if there is none. */
export function hostAddress(): string | undefined {
  const route = readRoutes().find(({ destination, mask }) => destination === 0 && mask === 0);
  const addresses = Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && !address.startsWith("127."));
  const onRoute = addresses.find(({ name }) => name === route?.name);
  return (onRoute ?? addresses[0])?.address;
}

function readRoutes(): { name: string; destination: number; mask: number }[] {
  let text: string;
  try {
    text = Deno.readTextFileSync("/proc/net/route");
  } catch {
    return [];
  }
  return text.trim().split("\n").slice(1).map((line) => line.split("\t")).map((fields) => ({
    name: fields[0]!,
    destination: parseInt(fields[1] ?? "0", 16),
    mask: parseInt(fields[7] ?? "0", 16),
  }));
}
