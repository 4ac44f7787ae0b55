/**
 * What `EXPOSE` says.
 *
 * @module
 */

/** One word of `EXPOSE`, read. */
export interface ExposedPorts {
  /** `80/tcp`; a range has many. */
  ports: string[];
  /** `tcp`, `UDP`: as it was written. */
  protocol: string;
  /** Whether an address or a port of the host is named, which has no meaning here. */
  namesHost: boolean;
}

/**
 * Reads `80`, `80/udp`, `8000-8010/tcp`, `[IP:][HOSTPORT:]80`.
 *
 * @throws {Error} BuildKit's words.
 */
export function parseExposed(word: string): ExposedPorts {
  const parts = word.split(":");
  const container = parts.pop()!;
  const hostPort = parts.pop() ?? "";
  const address = parts.join(":");
  const [range, written] = splitOnce(container, "/");
  if (range === "") throw new Error(`invalid port: ${JSON.stringify(word)}: no port specified`);
  const protocol = written || "tcp";
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) {
    throw new Error(`invalid port: ${JSON.stringify(word)}: invalid proto: ${protocol}`);
  }
  assertAddress(address);
  const ports = parseRange(range);
  if (ports === undefined) throw new Error(`invalid containerPort: ${range}`);
  assertHostPort(hostPort, range, ports);
  const all = [];
  for (let port = ports[0]; port <= ports[1]; port++) {
    all.push(`${port}/${protocol.toLowerCase()}`);
  }
  return { ports: all, protocol, namesHost: address !== "" || hostPort !== "" };
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}

function assertAddress(address: string): void {
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  const isAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(bare) ||
    /^[\da-f:.%]*:[\da-f:.%]*$/i.test(bare);
  if (address !== "" && !isAddress) throw new Error(`invalid IP address: ${address}`);
}

function assertHostPort(hostPort: string, range: string, ports: [number, number]): void {
  if (hostPort === "") return;
  const host = parseRange(hostPort);
  if (host === undefined) throw new Error(`invalid hostPort: ${hostPort}`);
  const width = ports[1] - ports[0];
  if (width !== host[1] - host[0] && width !== 0) {
    const both = `${range} and ${hostPort}`;
    throw new Error(`invalid ranges specified for container and host Ports: ${both}`);
  }
}

/** First and last; undefined if `text` is no port and no range. */
function parseRange(text: string): [number, number] | undefined {
  const match = /^\+?(\d+)(?:-\+?(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return last > 65535 || first > last ? undefined : [first, last];
}
