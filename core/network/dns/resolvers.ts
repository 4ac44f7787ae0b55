/**
 * The host's resolvers, as /etc/resolv.conf has them at the moment.
 *
 * @module
 */
import { ipBytes } from "../ip_bytes.ts";

/** As libc has it. */
const MAX_SERVERS = 3;

/** Reads the file again when it has changed. */
export class Resolvers {
  readonly #path: string;
  #mark = "";
  #addresses: Uint8Array[] = [];

  constructor(path = "/etc/resolv.conf") {
    this.#path = path;
  }

  /** Addresses to ask, best first; those of interfaces of their own (`fe80::1%eth0`) are left out. */
  get addresses(): readonly Uint8Array[] {
    try {
      const { mtime, size, ino } = Deno.statSync(this.#path);
      const mark = `${mtime?.getTime()} ${size} ${ino}`;
      if (mark === this.#mark) return this.#addresses;
      this.#addresses = parseResolvers(Deno.readTextFileSync(this.#path));
      this.#mark = mark;
    } catch { /* being replaced: what was known stays */ }
    return this.#addresses;
  }
}

/** The name servers of a resolv.conf. */
export function parseResolvers(text: string): Uint8Array[] {
  const words = text.split("\n").map((line) => line.trim().split(/\s+/));
  const found = words.filter(([keyword]) => keyword === "nameserver").flatMap(([, address]) => {
    try {
      return [ipBytes(address ?? "")];
    } catch {
      return [];
    }
  });
  return found.slice(0, MAX_SERVERS);
}
