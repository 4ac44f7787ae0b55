/**
 * Netlink's datagrams.
 *
 * @module
 */
import {
  type Attributes,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  textOf,
  u32Of,
} from "../../../ffi/netlink/message.ts";
import { type FuzzTarget, type Input, insist } from "../target.ts";

/** Messages and their attributes, as they come and as they are made. */
export const netlink: FuzzTarget = {
  name: "netlink",
  seeds: () => [
    message([[3, "eth0"], [1, 1500], [18, [[1, "bridge"], [2, [[5, Uint8Array.of(1)]]]]]]),
    message([[1, Uint8Array.of(10, 0, 0, 1)], [2, Uint8Array.of(10, 0, 0, 2)], [3, "lo"]]),
    Uint8Array.from([...message([]), ...message([[3, "docker0"]])]),
  ],
  dictionary: ["\0", "\0\0\0\0", "\x01", "\x04\0", "\x10\0\0\0", "\xff\xff", "\x03\0", "eth0\0"],
  run(input) {
    let used = 0;
    for (const reply of decodeMessages(input)) {
      used += 16 + reply.body.length;
      insist(used <= input.length, "messages lie side by side");
      for (const skip of [0, 8, 16]) readAttributes(reply.body.subarray(skip));
    }
    readAttributes(input);
  },
};

function message(attributes: Attributes): Input {
  return encodeMessage({ type: 16, fixed: new Uint8Array(16), attributes, label: "" }, 2, 7);
}

function readAttributes(bytes: Uint8Array): void {
  const found = decodeAttributes(bytes);
  const size = [...found.values()].reduce((sum, { length }) => sum + length, 0);
  insist(size <= bytes.length, "attributes lie side by side");
  for (const value of found.values()) {
    const number = u32Of(value);
    insist(number >= 0 && number <= 0xffffffff && !textOf(value).includes("\0"), "values are sane");
  }
  const again = decodeAttributes(encodeAttributes([...found]));
  insist(JSON.stringify([...found]) === JSON.stringify([...again]), "what is written is read");
}
