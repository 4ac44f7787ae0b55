/**
 * IP addresses between their text and the bytes that netlink takes.
 *
 * @module
 */

/** The 4 or 16 bytes of an address. @throws {TypeError} If it is none. */
export function ipBytes(text: string): Uint8Array {
  return text.includes(":") ? bytes6(text) : bytes4(text);
}

function bytes4(text: string): Uint8Array {
  const parts = text.split(".").map((part) => /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256);
  if (parts.length !== 4 || parts.some((part) => part > 255)) throw notAnAddress(text);
  return Uint8Array.from(parts);
}

function bytes6(text: string): Uint8Array {
  const halves = text.split("::");
  if (halves.length > 2) throw notAnAddress(text);
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":").flatMap(words));
  const missing = 8 - head!.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) throw notAnAddress(text);
  const all = [...head!, ...new Array(missing).fill(0), ...tail ?? []];
  const out = new Uint8Array(16);
  all.forEach((word, i) => {
    out[2 * i] = word >> 8;
    out[2 * i + 1] = word & 0xff;
  });
  return out;
}

/** One group of hexadecimal digits; or, at the end, an IPv4 address, which is two. */
function words(group: string): number[] {
  if (group.includes(".")) {
    const [a, b, c, d] = bytes4(group);
    return [a! << 8 | b!, c! << 8 | d!];
  }
  if (!/^[0-9a-f]{1,4}$/i.test(group)) throw notAnAddress(group);
  return [parseInt(group, 16)];
}

function notAnAddress(text: string): TypeError {
  return new TypeError(`"${text}" is no IP address`);
}
